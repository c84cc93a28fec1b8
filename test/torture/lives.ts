// Lives of a pipeline over written input: a start on a checkpoint, some batches on a manual clock,
// and an end, of its own accord or because the world stopped.

import type { Sink } from 'millrace'
import { type Logger, type StreamEvent, start } from 'millrace'
import { CollectingSink, ManualClock, quietLogger } from 'millrace/testing'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Clock } from '../../src/clock.ts'
import type { Expected, WrittenInput } from './written-input.ts'
import {
  INTERVAL_MS,
  WRITTEN,
  type WrittenArgs,
  type WrittenName,
  writtenPipeline,
} from './written-pipelines.ts'

/** What a life is made of. */
export interface LifeOptions {
  readonly name: WrittenName
  readonly input: WrittenInput
  readonly store: CheckpointStore | string
  readonly sinkOf: (output: string) => Sink<unknown>
  /** @default what is written for each batch */
  readonly sourceOf?: WrittenArgs['sourceOf']
  /** The newest batch that this life runs. */
  readonly to: number
  /** Where the clock stands at the start, in batches. @default 0 */
  readonly from?: number
  readonly snapshotEvery?: number
  /** Resolves when the world stops. @default never */
  readonly died?: Promise<void>
  /** Called after each batch, the redone ones included. */
  readonly onCompleted?: (batchId: number) => void
  /** Called at the end, before the run is stopped. */
  readonly beforeStop?: () => Promise<void>
  readonly clockOf?: (clock: ManualClock) => Clock
}

/** How a life went. */
export interface Life {
  /** `lastBatchId` of the checkpoint; undefined if it was fresh, or the start failed. */
  readonly recovered: number | undefined
  readonly redone: readonly number[]
  /** The newest batch that completed. */
  readonly last: number
  readonly warnings: readonly string[]
  /** What ended it; undefined if it went to its end, or died. */
  readonly error: unknown
  readonly died: boolean
}

const DIED = Symbol('died')

/** Lives once. Never rejects: what goes wrong is in the result. */
export async function live(options: LifeOptions): Promise<Life> {
  const seen = new Observed(options)
  const died = (options.died ?? new Promise<void>(() => undefined)).then((): typeof DIED => DIED)
  let error: unknown
  let ended: unknown
  try {
    ended = await Promise.race([runBatches(options, seen), died])
  } catch (thrown) {
    error = thrown
  }
  const { recovered, redone, last, warnings } = seen
  return { recovered, redone, last, warnings, error, died: ended === DIED }
}

async function runBatches(options: LifeOptions, seen: Observed): Promise<void> {
  const { name, input, store, sinkOf, sourceOf, to, from = 0, snapshotEvery = 3 } = options
  const startMs = from * INTERVAL_MS
  const manual = new ManualClock(startMs)
  const position = {
    get batchId() {
      return seen.last + 1
    },
  }
  const run = await start(writtenPipeline(name), {
    args: { input, position, sinkOf, ...(sourceOf === undefined ? {} : { sourceOf }) },
    overrides: { checkpoint: store, snapshotEvery },
    takeover: 'force',
    clock: options.clockOf?.(manual) ?? manual,
    logger: seen.logger,
    onEvent: (event) => seen.take(event),
  })
  // Where the clock is behind the checkpoint, batch times go on from the checkpoint's.
  const behindMs = Math.max(0, seen.last * INTERVAL_MS - startMs)
  // The start may have taken its time, before the time of batch 0 was known or after.
  const tookMs = Math.ceil((manual.wallMs() - startMs) / INTERVAL_MS) * INTERVAL_MS
  for (let batch = from; batch <= to; batch += 1) {
    const missingMs = batch * INTERVAL_MS + tookMs - behindMs - manual.wallMs()
    if (missingMs > 0) manual.advance(missingMs)
    await Promise.race([seen.reached(batch), run.done])
  }
  await options.beforeStop?.()
  await run.stop({ graceful: false })
}

/** What a life shows from outside. */
class Observed {
  recovered: number | undefined
  redone: readonly number[] = []
  last = 0
  readonly warnings: string[] = []
  readonly logger: Logger
  readonly #onCompleted: LifeOptions['onCompleted']
  #wake: () => void = () => undefined

  constructor({ onCompleted }: LifeOptions) {
    this.#onCompleted = onCompleted
    const warn = (_fields: object, text: string) => void this.warnings.push(text)
    this.logger = { ...quietLogger, warn }
  }

  take(event: StreamEvent): void {
    if (event.kind === 'checkpoint-recovered') {
      this.recovered = event.lastBatchId
      this.last = event.lastBatchId
      this.redone = event.redoBatchIds
    } else if (event.kind === 'batch-completed') {
      this.last = event.batchId
      this.#onCompleted?.(event.batchId)
      this.#wake()
    }
  }

  async reached(batchId: number): Promise<void> {
    while (this.last < batchId) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

/** Sinks in memory, one for each output. */
export class MemorySinks {
  readonly #sinks = new Map<string, CollectingSink<unknown>>()

  readonly sinkOf = (output: string): Sink<unknown> => {
    const sink = this.#sinks.get(output) ?? new CollectingSink<unknown>()
    this.#sinks.set(output, sink)
    return sink
  }

  /** The records of each batch of an output. */
  batches(output: string): ReadonlyMap<number, readonly unknown[]> {
    const batches = this.#sinks.get(output)?.batches ?? new Map<number, unknown[][]>()
    return new Map([...batches].map(([batchId, parts]) => [batchId, parts.flat(1)]))
  }
}

/** Throws unless the batches `ids` of each output hold what was expected, once. */
export function checkOutputs(
  name: WrittenName,
  expected: Expected,
  batchesOf: (output: string) => ReadonlyMap<number, readonly unknown[]>,
  ids: Iterable<number>,
): void {
  const wanted = [...ids]
  for (const output of WRITTEN[name].outputs) {
    const batches = batchesOf(output)
    for (const batchId of wanted) {
      const should = sorted(expected[output]?.get(batchId) ?? [])
      const has = sorted(batches.get(batchId) ?? [])
      if (should === has) continue
      throw new Error(
        `Batch ${batchId} of output "${output}" of pipeline "${name}" must hold ${should}, ` +
          `got ${has}`,
      )
    }
    const beyond = [...batches.keys()].filter((batchId) => !expected[output]?.has(batchId))
    if (beyond.length > 0) throw new Error(`Output "${output}" has batches ${beyond.join()}`)
  }
}

function sorted(records: readonly unknown[]): string {
  const lines = records.map((record) => JSON.stringify(record))
  return `[${lines.sort((a, b) => (a < b ? -1 : Number(a > b))).join(' ')}]`
}
