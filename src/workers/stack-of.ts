// Where a busy thread is: the inspector pauses it between two instructions, and lets it go on.

import { Session } from 'node:inspector'

interface CallFrame {
  readonly functionName: string
  readonly location: {
    readonly scriptId: string
    readonly lineNumber: number
    readonly columnNumber: number
  }
}

type DebuggerMessage =
  | {
      readonly method: 'Debugger.scriptParsed'
      readonly params: { readonly scriptId: string; readonly url: string }
    }
  | {
      readonly method: 'Debugger.paused'
      readonly params: { readonly callFrames: readonly CallFrame[] }
    }
  | { readonly method?: undefined }

/** Gives the call stack of the worker thread `threadId`, innermost first; undefined if it runs
 * nothing within `withinMs`, since it waits. Runs in the main thread. */
export async function stackOf(threadId: number, withinMs: number): Promise<string | undefined> {
  const session = new Session()
  session.connect()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<string | undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs)
      watch(session, threadId, resolve)
    })
  } finally {
    clearTimeout(timer)
    session.post('NodeWorker.disable')
    session.disconnect()
  }
}

function watch(session: Session, threadId: number, found: (stack: string) => void): void {
  let calls = 0
  let worker: string | undefined
  const urls = new Map<string, string>()
  const send = (method: string): void => {
    if (worker === undefined) return
    calls += 1
    const message = JSON.stringify({ id: calls, method, params: {} })
    session.post('NodeWorker.sendMessageToWorker', { sessionId: worker, message })
  }
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // Its own ids count from 1 in another order; the title has the thread's.
    if (!params.workerInfo.title.startsWith(`[worker ${threadId}]`)) return
    worker = params.sessionId
    send('Debugger.enable')
    send('Debugger.pause')
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const message = JSON.parse(params.message) as DebuggerMessage
    if (message.method === 'Debugger.scriptParsed') {
      urls.set(message.params.scriptId, message.params.url)
    }
    if (message.method !== 'Debugger.paused') return
    send('Debugger.resume')
    send('Debugger.disable')
    found(message.params.callFrames.map((frame) => frameText(frame, urls)).join('\n'))
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
}

function frameText(
  { functionName, location }: CallFrame,
  urls: ReadonlyMap<string, string>,
): string {
  const url = urls.get(location.scriptId) ?? '<unknown>'
  const place = `${url}:${location.lineNumber + 1}:${location.columnNumber + 1}`
  return `    at ${functionName === '' ? '<anonymous>' : functionName} (${place})`
}
