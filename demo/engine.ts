// The engine process: runs the pipeline and tells its parent what happens. It may be killed at any
// time.

import { once } from 'node:events'
import { type StreamEvent, start } from 'millrace'
import { type EngineArgs, type EngineEvent, FORWARDED, type FromEngine } from './engine-protocol.ts'
import wordCount from './pipeline.ts'

const { checkpoint, wordCount: args } = JSON.parse(process.argv[2] ?? '{}') as EngineArgs

// Without a parent there is no stream either.
process.once('disconnect', () => process.exit(1))
// The only message is the one that asks to stop; it may come before the engine is up.
const stopAsked = once(process, 'message')

try {
  const run = await start(wordCount, { args, overrides: { checkpoint }, onEvent })
  stopAsked.then(() => run.stop()).catch(fail)
  tell({ kind: 'started' })
  await run.done
  leave({ kind: 'stopped' }, 0)
} catch (error) {
  fail(error)
}

/** Passes on what the demo shows, from the first event on: redone batches are among them. */
function onEvent(event: StreamEvent): void {
  if (isForwarded(event)) tell({ kind: 'event', event })
}

function isForwarded(event: StreamEvent): event is EngineEvent {
  return FORWARDED.some((kind) => kind === event.kind)
}

function tell(message: FromEngine): void {
  process.send?.(message)
}

function leave(message: FromEngine, exitCode: number): void {
  process.removeAllListeners('disconnect')
  process.send?.(message, undefined, undefined, () => process.exit(exitCode))
}

function fail(error: unknown): void {
  const { code, message } = error as { code?: string; message?: string }
  leave({ kind: 'failed', code, message: message ?? String(error) }, 1)
}
