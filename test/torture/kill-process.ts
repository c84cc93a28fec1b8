// The engine of `kill` in a process of its own: node kill-process.ts ARGS. It says its phase, and
// may hold within one until it is killed.

import { readSync, writeSync } from 'node:fs'
import { pipeline, type StreamEvent, start } from 'millrace'
import { S3Store } from 'millrace/checkpoint'
import { quietLogger } from 'millrace/testing'
import { codeOf } from '../../src/errors.ts'
import { KILL_INTERVAL_MS, killPipeline } from './kill-pipeline.ts'
import { type KillProcessArgs, PHASE_AFTER, type Phase, type Said } from './process-protocol.ts'

const args = JSON.parse(process.argv[2] ?? '{}') as KillProcessArgs
const { checkpoint, hold } = args
let batches = 0

function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`)
}

function enter(phase: Phase): void {
  say({ kind: 'phase', phase })
  if (phase !== hold?.phase || batches < hold.batch) return
  say({ kind: 'holding' })
  // Nothing ever comes: the parent kills this process, or ends.
  readSync(0, Buffer.alloc(1))
  process.exit(1)
}

function take(event: StreamEvent): void {
  if (event.kind === 'batch-planned') batches += 1
  const phase = PHASE_AFTER[event.kind]
  if (phase !== undefined) enter(phase)
}

try {
  const options = {
    batchInterval: KILL_INTERVAL_MS,
    checkpoint: false,
    snapshotEvery: 5,
    // A process that is killed after a few batches is ever later: no batch may be skipped, since
    // the comparison at the end wants the window of each.
    catchUpBatchesMax: 1_000_000,
  } as const
  const described = pipeline('kill', options, killPipeline)
  const run = await start(described, {
    args: {
      endpoint: args.endpoint,
      out: args.out,
      database: args.database,
      onRun: () => enter('running'),
    },
    overrides: {
      checkpoint: typeof checkpoint === 'string' ? checkpoint : new S3Store(checkpoint),
    },
    until: args.until,
    logger: quietLogger,
    onEvent: take,
  })
  say({ kind: 'started', epoch: 0 })
  process.stdin.once('end', () => process.exit(1))
  process.stdin.resume()
  await run.done
  say({ kind: 'ended', code: undefined, message: '' })
  process.exit(0)
} catch (error) {
  say({ kind: 'ended', code: codeOf(error), message: String(error) })
  process.exit(1)
}
