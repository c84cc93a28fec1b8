// The pipeline of a case, as a module that every thread imports.

import type { DStream, StreamingContext } from 'millrace'
import { applyStages, type Setting, type StageSpec } from './functions.ts'

/** What a pipeline takes of its case. */
export interface CaseArgs {
  readonly intervalMs: number
  readonly pipeline: readonly StageSpec[]
  readonly inputPipelines: readonly (readonly StageSpec[])[]
  /** What of the case is seen. */
  readonly look: 'records' | 'snapshots' | 'partitions'
  /** Where batches are saved. */
  readonly folder: string
}

export default function build(
  ssc: StreamingContext,
  args: CaseArgs,
  ...streams: DStream<unknown>[]
): DStream<unknown> {
  const base: Setting = {
    intervalMs: args.intervalMs,
    others: [],
    union: (all) => ssc.union(...all),
    transform: (all, f) => ssc.transform(all, f),
    snapshots: args.look === 'snapshots',
    folder: args.folder,
  }
  const prepared = streams.map((stream, i) =>
    applyStages(stream, args.inputPipelines[i] ?? [], base),
  )
  const [first, ...others] = prepared as [DStream<unknown>, ...DStream<unknown>[]]
  const last = applyStages(first, args.pipeline, { ...base, others })
  return args.look === 'partitions' ? last.glom() : last
}
