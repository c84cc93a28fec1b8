// What a worker thread runs. It may serve one run after the other.

import { parentPort } from 'node:worker_threads'
import { present } from '../assert.ts'
import { type Answer, answer, type Message } from './calls.ts'
import type { WorkerNotice, WorkerRequest } from './protocol.ts'
import { begunAnew, WorkerSession } from './worker-session.ts'

const port = present(parentPort, 'the port of a worker thread')
let session: WorkerSession | undefined
let turn: Promise<void> = Promise.resolve()

async function give(request: WorkerRequest): Promise<Answer> {
  if (request.kind === 'begin') {
    await session?.close()
    session = await WorkerSession.begin(request)
    return { value: session.built }
  }
  if (session === undefined && request.kind === 'frozen-slice') throw begunAnew()
  return present(session, 'the session of a worker').answer(request)
}

// Questions are answered one after the other; what is told takes effect in between, but for what
// concerns an attempt under way, and for slices of what is frozen: no attempt changes those.
port.on('message', (message: Message<WorkerRequest, WorkerNotice>) => {
  if (message.type === 'call' && message.request.kind === 'frozen-slice') {
    void answer(port, message, give)
    return
  }
  if (message.type === 'call') {
    turn = turn.then(() => answer(port, message, give))
    return
  }
  if (message.type !== 'notice') return
  const { notice } = message
  if (notice.kind === 'end') turn = turn.then(() => port.close())
  else if (notice.kind === 'merge') turn = turn.then(() => session?.take(notice))
  else session?.take(notice)
})
