// Where a busy thread is: the inspector pauses it between two instructions, and lets it go on.

import { Session } from 'node:inspector'

interface Paused {
  readonly method: string
  readonly params: {
    readonly callFrames: readonly {
      readonly functionName: string
      readonly url: string
      readonly location: { readonly lineNumber: number; readonly columnNumber: number }
    }[]
  }
}

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
  const send = (method: string): void => {
    if (worker === undefined) return
    calls += 1
    const message = JSON.stringify({ id: calls, method, params: {} })
    session.post('NodeWorker.sendMessageToWorker', { sessionId: worker, message })
  }
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    if (params.workerInfo.workerId !== String(threadId)) return
    worker = params.sessionId
    send('Debugger.enable')
    send('Debugger.pause')
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const message = JSON.parse(params.message) as Partial<Paused>
    if (message.method !== 'Debugger.paused' || message.params === undefined) return
    send('Debugger.resume')
    send('Debugger.disable')
    found(message.params.callFrames.map(frameText).join('\n'))
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
}

function frameText(frame: Paused['params']['callFrames'][number]): string {
  const { functionName, url, location } = frame
  const place = `${url}:${location.lineNumber + 1}:${location.columnNumber + 1}`
  return `    at ${functionName === '' ? '<anonymous>' : functionName} (${place})`
}
