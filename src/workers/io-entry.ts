// What the I/O thread runs: the receivers, so that a busy driver or worker delays no read.

import { parentPort } from 'node:worker_threads'
import { present } from '../assert.ts'
import { Heartbeat } from '../checkpoint/heartbeat.ts'
import { type BeatRequest, storeOf } from '../checkpoint/lease.ts'
import { PulseWatch } from '../checkpoint/pulse.ts'
import { systemClock } from '../clock.ts'
import { loadAll } from '../dstream/broadcast.ts'
import type { Logger } from '../events.ts'
import type { ReceiverContext } from '../receivers/receiver.ts'
import { type Answer, answer, type Message } from './calls.ts'
import { toWire } from './error-wire.ts'
import { buildGraph } from './graph-recipe.ts'
import type { IoNotice, IoOrder, IoRequest } from './protocol.ts'
import { ShippingHost } from './shipping-host.ts'

const port = present(parentPort, 'the port of the I/O thread')
const aborted = new AbortController()
let host: ShippingHost | undefined
let turn: Promise<void> = Promise.resolve()

function tell(notice: IoNotice): void {
  port.postMessage({ type: 'notice', notice })
}

function logTo(level: 'debug' | 'info' | 'warn' | 'error') {
  return (fields: object, message: string): void => {
    const sendable = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        value instanceof Error ? toWire(value) : value,
      ]),
    )
    tell({ kind: 'log', level, fields: sendable, message })
  }
}

const logger: Logger = {
  debug: logTo('debug'),
  info: logTo('info'),
  warn: logTo('warn'),
  error: logTo('error'),
}

async function open(request: Extract<IoRequest, { kind: 'open' }>): Promise<Answer> {
  const { pipeline, bufferBytesMax } = request
  const { graph } = await buildGraph(request.recipe)
  await loadAll(graph.broadcasts)
  const contextOf = (sourceId: number): ReceiverContext => ({
    pipeline,
    sourceId,
    clock: systemClock,
    logger,
    signal: aborted.signal,
    bufferBytesMax,
    fail: (error) => tell({ kind: 'fail', sourceId, error: toWire(error) }),
    reportError: (message, error) =>
      tell({ kind: 'error', sourceId, message, error: toWire(error) }),
    tell: (news) =>
      tell({
        kind: 'news',
        sourceId,
        news: 'error' in news ? { ...news, error: toWire(news.error) } : news,
      }),
    count: (name, by = 1) => tell({ kind: 'count', sourceId, name, by }),
  })
  host = new ShippingHost(
    graph.sources.map(({ source }) => source),
    request.workers,
    contextOf,
  )
  for (const { worker, port: line } of request.lines) host.connect(worker, line)
  if (request.beat !== undefined) await giveSigns(request.beat)
  return { value: undefined }
}

/** The driver's signs of life come from here: this thread turns even where a closure, a sink or the
 * service around the run keeps the driver busy. A driver that stands still for long gets none. */
async function giveSigns({ recipe, epoch, memory }: BeatRequest): Promise<void> {
  const watch = new PulseWatch(memory, systemClock)
  const store = await storeOf(recipe)
  const { flushes: written, isAlive } = watch
  new Heartbeat({ store, epoch, clock: systemClock, logger, written, isAlive })
}

async function give(request: IoRequest): Promise<Answer> {
  if (request.kind === 'open') return open(request)
  const value = await ask(present(host, 'the receivers of the I/O thread'), request)
  return { value: { value, status: host?.status() } }
}

async function ask(
  to: ShippingHost,
  request: Exclude<IoRequest, { kind: 'open' }>,
): Promise<unknown> {
  switch (request.kind) {
    case 'start':
      return to.start(request.sourceId, request.from)
    case 'run':
      return to.run()
    case 'cut':
      return to.cut(request.batchId, request.limits)
    case 'replay':
      return to.replay(request.batchId, request.planned)
    case 'resend':
      return to.resend(request.from, request.worker)
    case 'line':
      return to.connect(request.line.worker, request.line.port)
    case 'rate':
      return to.setRate(request.sourceId, request.recordsPerSecond)
    case 'stop':
      return to.stop()
  }
}

// Calls are answered in order, but for `stop`: it ends what others may wait for, and so does the
// end of the run, of which no call tells.
port.on('message', (message: Message<IoRequest, IoOrder>) => {
  if (message.type === 'notice') aborted.abort()
  if (message.type !== 'call') return
  if (message.request.kind === 'stop') void answer(port, message, give)
  else turn = turn.then(() => answer(port, message, give))
})
