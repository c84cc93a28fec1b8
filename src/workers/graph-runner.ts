// One worker's part in a run: its graph, its state, its share of each batch.

import type { BatchRuntime } from '../batch/batch-base.ts'
import { sourceLeaf } from '../batch/node.ts'
import type { Partition } from '../batch/records.ts'
import type { Spread } from '../batch/spread.ts'
import type { Clock } from '../clock.ts'
import { StreamingError } from '../errors.ts'
import { Evaluator } from '../plan/evaluator.ts'
import type { Peers } from '../plan/peers.ts'
import type { StageCache } from '../plan/stage-cache.ts'
import type { BatchGraph } from '../state/batch-graph.ts'
import { runTask, Tally } from '../task-scope.ts'
import { AttemptFailure } from './attempt-failure.ts'

/** The records of each source, spread over the workers; undefined where it has no batch. */
export type SourceSpreads = readonly (Spread<Partition<unknown>> | undefined)[]

/** The partitions of each output, those of other workers only counted. */
export type OutputSpreads = readonly (Spread<Partition<unknown>> | undefined)[]

/** What a runner works with. */
export interface GraphRunnerParts {
  readonly graph: BatchGraph
  readonly stages: StageCache
  readonly clock: Clock
  readonly peers: Peers
}

const refuseActions: BatchRuntime = {
  run: () =>
    Promise.reject(
      new StreamingError(
        'ACTION_NOT_ALLOWED',
        'Cannot run an action inside transform: it may only build lazy operations; ' +
          'use foreachBatch for actions',
      ),
    ),
}

/** What an attempt gave on one worker. */
export interface GraphRan {
  readonly outputs: OutputSpreads
  /** What closures added to accumulators. */
  readonly tally: Tally
  /** Calls of mapAsync that were made again. */
  readonly retriedCalls: number
}

/** Makes one attempt at a batch: begins from what is committed and leaves its changes unmerged.
 * Rejects with AttemptFailure. */
export async function runGraph(
  parts: GraphRunnerParts,
  time: number,
  sources: SourceSpreads,
  traced: boolean,
): Promise<GraphRan> {
  const tally = new Tally()
  const at: At = { outputId: undefined, retriedCalls: 0 }
  try {
    const work = () => evaluate(parts, time, sources, traced, at)
    const outputs = await runTask(parts.graph.graph, tally, work)
    return { outputs, tally, retriedCalls: at.retriedCalls }
  } catch (cause) {
    throw new AttemptFailure(at.outputId, { cause, retriedCalls: at.retriedCalls })
  }
}

interface At {
  /** The output whose records are being computed. */
  outputId: number | undefined
  retriedCalls: number
}

async function evaluate(
  { graph, stages, clock, peers }: GraphRunnerParts,
  time: number,
  sources: SourceSpreads,
  traced: boolean,
  at: At,
): Promise<OutputSpreads> {
  const names = graph.graph.sources.map(({ name }) => name)
  const plan = graph.plan(
    time,
    (sourceId) => {
      const spread = sources[sourceId]
      return spread && sourceLeaf(spread, names[sourceId] ?? 'source')
    },
    refuseActions,
  )
  const onCallRetried = (): void => {
    at.retriedCalls += 1
  }
  const evaluator = new Evaluator({ time, traced, stages, clock, peers, onCallRetried })
  const outputs: (Spread<Partition<unknown>> | undefined)[] = []
  for (const [outputId, node] of plan.outputs.entries()) {
    at.outputId = outputId
    outputs.push(node === undefined ? undefined : await evaluator.run(node))
  }
  at.outputId = undefined
  for (const { node, ran } of plan.stateful) if (!ran()) await evaluator.run(node)
  return outputs
}
