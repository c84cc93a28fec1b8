// Every operator that keeps something, in one pipeline. What they hold shows in the output of each
// batch, so that a wrong restore shows in the next one.

import type { DStream, Sink, Source, State } from 'millrace'
import { CollectingSink, scriptedSource } from 'millrace/testing'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'

/** The batch interval. */
export const INTERVAL_MS = 1_000

/** Wide enough for a snapshot of some dozen keys to come in several slices. */
const PADDING = 'x'.repeat(4_000)

interface Kept {
  n: number
  readonly padding: string
}

const sum = (a: number, b: number): number => a + b

function keep(key: string, n: number | undefined, state: State<Kept>): string | undefined {
  if (state.isTimingOut()) return `${key} times out with ${state.get().n}`
  if (n === 0 && state.exists()) {
    state.remove()
    return `${key} is removed`
  }
  const kept = state.exists() ? state.get() : { n: 0, padding: PADDING }
  kept.n += n ?? 0
  state.update(kept)
  return undefined
}

/** The streams that are written; lines are `key number`. */
function streamsOf(lines: DStream<string>): Readonly<Record<string, DStream<unknown>>> {
  const pairs = lines.map((line): [string, number] => {
    const [key = '', n] = line.split(' ')
    return [key, Number(n)]
  })
  const kept = pairs.mapWithState(keep, { timeout: '4s', partitions: 3 })
  const twice = pairs.mapValues((n) => n * 2)
  return {
    kept,
    states: kept.stateSnapshots().mapValues(({ n }) => n),
    totals: pairs.updateStateByKey((ns: number[], before: number | undefined) => {
      const after = ns.reduce(sum, before ?? 0)
      return after > 40 ? undefined : after
    }),
    added: pairs.reduceByKeyAndWindow(sum, (a, b) => a - b, '4s', '1s', { partitions: 2 }),
    waiting: pairs.reduceByKeyAndWindow(sum, (a, b) => a - b, '5s', '3s'),
    stacked: pairs.reduceByKeyAndWindow((a, b) => Math.max(a, b), '4s', '2s'),
    lines: lines.window('3s', '2s'),
    joined: pairs.window('2s').join(twice.window('3s'), { partitions: 2 }),
  }
}

/** Builds the graph over a source of lines. */
export function keptGraph(
  source: Source<unknown>,
  sinkOf: (output: string) => Sink<unknown>,
): StreamGraph {
  const graph = new StreamGraph(INTERVAL_MS)
  const lines = new StreamingContext(graph).receive(source).map(String)
  for (const [name, stream] of Object.entries(streamsOf(lines))) stream.writeTo(sinkOf(name))
  graph.start()
  return graph
}

/** What a worker builds: it gets the records from the driver, and writes nothing itself. */
export default function build(): Promise<StreamGraph> {
  const source = scriptedSource('lines', [], 0, { batchId: 0 })
  return Promise.resolve(keptGraph(source, () => new CollectingSink()))
}

export { sinks }
