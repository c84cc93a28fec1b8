// A written pipeline in a process of its own, on the machine's clock: node written-process.ts ARGS.

import { writeSync } from 'node:fs'
import { type StreamEvent, start } from 'millrace'
import { S3Store } from 'millrace/checkpoint'
import { files } from 'millrace/sinks'
import { quietLogger } from 'millrace/testing'
import { codeOf } from '../../src/errors.ts'
import type { ProcessArgs, Said } from './process-protocol.ts'
import { writtenInput } from './written-input.ts'
import { type WrittenName, writtenPipeline } from './written-pipelines.ts'
import { ZOMBIE_INPUT, ZOMBIE_INTERVAL_MS } from './zombie-input.ts'

const args = JSON.parse(process.argv[2] ?? '{}') as ProcessArgs
let last = 0

function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`)
}

function take(event: StreamEvent): void {
  if (event.kind === 'checkpoint-recovered') last = event.lastBatchId
  if (!event.kind.startsWith('batch-') || !('batchId' in event) || !('epoch' in event)) return
  const { kind, batchId, epoch } = event
  if (kind === 'batch-completed') last = batchId
  say({ kind: kind as `batch-${string}`, batchId, epoch })
  if (args.freeze?.event !== kind || args.freeze.batchId !== batchId) return
  say({ kind: 'frozen' })
  process.kill(process.pid, 'SIGSTOP')
}

try {
  const { checkpoint, pipeline, out, takeover } = args
  const run = await start(writtenPipeline(pipeline as WrittenName), {
    args: {
      input: writtenInput(ZOMBIE_INPUT.batches, ZOMBIE_INPUT.records),
      position: {
        get batchId() {
          return last + 1
        },
      },
      intervalMs: ZOMBIE_INTERVAL_MS,
      sinkOf: (output) => files(`${out}/${output}`),
    },
    overrides: {
      batchInterval: ZOMBIE_INTERVAL_MS,
      checkpoint: typeof checkpoint === 'string' ? checkpoint : new S3Store(checkpoint),
      snapshotEvery: 3,
    },
    takeover,
    logger: quietLogger,
    onEvent: take,
  })
  say({ kind: 'started', epoch: 0 })
  process.stdin.once('end', () => void run.stop({ graceful: false }).catch(() => undefined))
  process.stdin.resume()
  await run.done
  say({ kind: 'ended', code: undefined, message: '' })
  process.exit(0)
} catch (error) {
  say({ kind: 'ended', code: codeOf(error), message: String(error) })
  process.exit(1)
}
