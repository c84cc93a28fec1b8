// Three pipelines over written input: stateless, a window beside state, and a join of two streams
// with a timeout. What state holds is written out whole with each batch, so that a wrong restore
// shows in the next output.

import { type DStream, type Pipeline, pipeline, type State, type StreamingContext } from 'millrace'
import type { Sink } from 'millrace/sinks'
import { type ScriptPosition, scriptedSource } from 'millrace/testing'
import {
  type Expected,
  expectedOfCounted,
  expectedOfJoined,
  expectedOfStateless,
  type WrittenInput,
} from './written-input.ts'

/** The batch interval of all of them. */
export const INTERVAL_MS = 1_000

/** What a pipeline is built with. */
export interface WrittenArgs {
  readonly input: WrittenInput
  readonly position: ScriptPosition
  /** Gives the sink of an output. */
  readonly sinkOf: (output: string) => Sink<unknown>
}

/** A pipeline with what must come of it. */
export interface WrittenPipeline {
  readonly outputs: readonly string[]
  readonly expected: (input: WrittenInput) => Expected
  readonly build: (ssc: StreamingContext, args: WrittenArgs) => void
}

const PARTITIONS = { partitions: 2 }

function wordsOf(
  ssc: StreamingContext,
  { input, position }: WrittenArgs,
  side: 'left' | 'right',
): DStream<string> {
  return ssc.receive(scriptedSource(side, input[side], 2, position)).map(String)
}

function stateless(ssc: StreamingContext, args: WrittenArgs): void {
  wordsOf(ssc, args, 'left')
    .map((word) => `${word}!`)
    .writeTo(args.sinkOf('marked'))
}

function counted(ssc: StreamingContext, args: WrittenArgs): void {
  const ones = wordsOf(ssc, args, 'left').map((word): [string, number] => [word, 1])
  ones
    .updateStateByKey((ns: number[], n: number | undefined) => (n ?? 0) + ns.length, PARTITIONS)
    .writeTo(args.sinkOf('totals'))
  const counts = { ...PARTITIONS, filter: ([, n]: readonly [string, number]) => n > 0 }
  ones
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      '3s',
      '1s',
      counts,
    )
    .writeTo(args.sinkOf('window'))
}

/** Keeps what has no partner yet; gives the pair, or what waited for too long. */
function meet(key: string, mark: string | undefined, waiting: State<string>): string | undefined {
  if (waiting.isTimingOut()) return `${key} ${waiting.get()} alone`
  const now = mark ?? ''
  if (!waiting.exists()) waiting.update(now)
  else if (waiting.get()[0] !== now[0]) {
    const pair = `${key} ${waiting.get()} met ${now}`
    waiting.remove()
    return pair
  }
  return undefined
}

function joined(ssc: StreamingContext, args: WrittenArgs): void {
  const marked = (side: 'left' | 'right') =>
    wordsOf(ssc, args, side).transform((batch, time) =>
      batch.map((word): [string, string] => [word, `${side[0]}${time / INTERVAL_MS}`]),
    )
  const met = marked('left')
    .union(marked('right'))
    .mapWithState(meet, { ...PARTITIONS, timeout: '2s' })
  met.filter((pair) => pair !== undefined).writeTo(args.sinkOf('met'))
  met.stateSnapshots().writeTo(args.sinkOf('waiting'))
}

/** The three pipelines, by name. */
export const WRITTEN: Readonly<Record<'stateless' | 'counted' | 'joined', WrittenPipeline>> = {
  stateless: { outputs: ['marked'], expected: expectedOfStateless, build: stateless },
  counted: { outputs: ['totals', 'window'], expected: expectedOfCounted, build: counted },
  joined: { outputs: ['met', 'waiting'], expected: expectedOfJoined, build: joined },
}

export type WrittenName = keyof typeof WRITTEN

/** Describes one of the pipelines. */
export function writtenPipeline(name: WrittenName): Pipeline<WrittenArgs> {
  const options = { batchInterval: INTERVAL_MS, checkpoint: false } as const
  return pipeline(name, options, WRITTEN[name].build)
}
