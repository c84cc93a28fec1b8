// The log of a run, as its engine opens it.

import { Lease } from '../checkpoint/lease.ts'
import { BatchLog, type LogOptions, type Recovered } from '../checkpoint/log.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import { graphShape } from '../dstream/graph-shape.ts'
import { statefulOperators } from '../dstream/operator-ids.ts'
import { checkpointEvery } from '../dstream/retention.ts'
import { sinkOf } from '../workers/output-sinks.ts'
import { hashText } from './batch-runner.ts'
import type { EngineParts } from './engine.ts'

/** The log in the hands of this run, and what keeps it there. */
export interface OpenLog {
  readonly log: BatchLog | undefined
  readonly lease: Lease | undefined
  readonly recovered: Recovered
}

/** Opens the log of a run; without a store there is none, and nothing to recover. */
export async function openLog(parts: EngineParts, planHash: string): Promise<OpenLog> {
  const { store, settings, graph, clock, logger } = parts
  if (store === undefined) {
    return { log: undefined, lease: undefined, recovered: nothing(parts.zeroTime()) }
  }
  return BatchLog.open({
    store,
    pipeline: parts.pipeline,
    batchIntervalMs: settings.batchIntervalMs,
    planHash,
    stateful: statefulOperators(graph).map((operator) => operator.description),
    sources: graph.sources.map(({ source: { name, replayable } }) => ({ name, replayable })),
    outputs: outputsByOrdinal(parts),
    zeroTime: parts.zeroTime,
    takeover: parts.takeover,
    clock,
    logger,
    signal: parts.signal,
    commitIntervalMs: commitIntervalOf(parts),
    leaseOf: (epoch) => new Lease({ store, epoch, clock, logger }),
    flushed: (flush) => parts.events.emit({ kind: 'log-flushed', ...flush }),
    snapshotEvery: Math.min(settings.snapshotEvery, checkpointEvery(graph) ?? Infinity),
    ...(parts.owner === undefined ? {} : { host: parts.owner }),
  })
}

/** The outputs that hold a batch once, and do not say where: their sinks have no more to go by than
 * the output's ordinal. */
function outputsByOrdinal({ graph, sinks }: EngineParts): LogOptions['outputs'] {
  return graph.outputs.flatMap((output, outputId) => {
    const sink = sinkOf(output, sinks)
    const isByOrdinal = sink?.guarantee === 'exactly-once' && sink.place === undefined
    return isByOrdinal ? [{ outputId, name: sink.name }] : []
  })
}

/** Where each write costs money, batches share one. */
const COMMIT_INTERVAL_MS = 1_000

/** How far apart writes of the log begin. */
export function commitIntervalOf({
  store,
  settings,
}: Pick<EngineParts, 'store' | 'settings'>): number {
  const defaultMs = store === undefined || store.appends ? 0 : COMMIT_INTERVAL_MS
  return settings.commitIntervalMs ?? defaultMs
}

function nothing(zeroTime: number): Recovered {
  return {
    fresh: true,
    zeroTime,
    epoch: 0,
    previousPlanHash: undefined,
    stateful: [],
    lastBatchId: 0,
    snapshot: undefined,
    changes: [],
    redo: [],
    positions: new Map(),
    accumulators: new Map(),
    cutBytes: 0,
    warnings: [],
  }
}

/** Shape and names of the graph in one hash: the same for the same code. */
export function planHashOf(graph: StreamGraph): string {
  return hashText(JSON.stringify(graphShape(graph)))
}
