// The engine process: runs the pipeline and tells its parent what happens. It may be killed at any
// time.

import { once } from 'node:events'
import { start } from 'millrace'
import { type EngineArgs, FORWARDED, type FromEngine } from './engine-protocol.ts'
import wordCount from './pipeline.ts'

const { checkpoint, wordCount: args } = JSON.parse(process.argv[2] ?? '{}') as EngineArgs

// Without a parent there is no stream either.
process.once('disconnect', () => process.exit(1))
// The only message is the one that asks to stop; it may come before the engine is up.
const stopAsked = once(process, 'message')

try {
  const run = await start(wordCount, { args, overrides: { checkpoint } })
  for (const kind of FORWARDED) run.on(kind, (event) => tell({ kind: 'event', event }))
  stopAsked.then(() => run.stop()).catch(fail)
  tell({ kind: 'started' })
  await run.done
  leave({ kind: 'stopped' }, 0)
} catch (error) {
  fail(error)
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
