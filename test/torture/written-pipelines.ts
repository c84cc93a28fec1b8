// Three pipelines over written input: stateless, a window beside state, and a join of two streams
// with a timeout. What state holds is written out whole with each batch, so that a wrong restore
// shows in the next output.

import type { Sink } from 'millrace'
import {
  type DStream,
  type Pipeline,
  pipeline,
  type Source,
  type State,
  type StreamingContext,
} from 'millrace'
import { type ScriptPosition, scriptedSource } from 'millrace/testing'
import {
  type Expected,
  expectedOfCounted,
  expectedOfJoined,
  expectedOfStateless,
  type WrittenInput,
} from './written-input.ts'

/** The batch interval of all of them, unless the arguments say another. */
export const INTERVAL_MS = 1_000

/** What a pipeline is built with. */
export interface WrittenArgs {
  readonly input: WrittenInput
  readonly position: ScriptPosition
  /** @default 1,000 */
  readonly intervalMs?: number
  /** Gives the source of a side. @default one that gives each batch what is written for it */
  readonly sourceOf?: (side: Side) => Source<unknown>
  /** Gives the sink of an output. */
  readonly sinkOf: (output: string) => Sink<unknown>
}

/** A pipeline with what must come of it. */
export interface WrittenPipeline {
  readonly sides: readonly Side[]
  readonly outputs: readonly string[]
  readonly expected: (input: WrittenInput) => Expected
  readonly build: (ssc: StreamingContext, args: WrittenArgs) => void
}

const PARTITIONS = { partitions: 2 }

/** One of the two streams. */
export type Side = 'left' | 'right'

/** The words of a side; with a source of its own they are an output too. */
function wordsOf(ssc: StreamingContext, args: WrittenArgs, side: Side): DStream<string> {
  const { input, position, sourceOf, sinkOf } = args
  const source = sourceOf?.(side) ?? scriptedSource(side, input[side], 2, position)
  const words = ssc.receive(source).map(String)
  if (sourceOf !== undefined) words.writeTo(sinkOf(side))
  return words
}

function stateless(ssc: StreamingContext, args: WrittenArgs): void {
  wordsOf(ssc, args, 'left')
    .map((word) => `${word}!`)
    .writeTo(args.sinkOf('marked'))
}

function counted(ssc: StreamingContext, args: WrittenArgs): void {
  const { intervalMs = INTERVAL_MS } = args
  const ones = wordsOf(ssc, args, 'left').map((word): [string, number] => [word, 1])
  ones
    .updateStateByKey((ns: number[], n: number | undefined) => (n ?? 0) + ns.length, PARTITIONS)
    .writeTo(args.sinkOf('totals'))
  const counts = { ...PARTITIONS, filter: ([, n]: readonly [string, number]) => n > 0 }
  ones
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      3 * intervalMs,
      intervalMs,
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
  const { intervalMs = INTERVAL_MS } = args
  const marked = (side: 'left' | 'right') =>
    wordsOf(ssc, args, side).transform((batch, time) =>
      batch.map((word): [string, string] => [word, `${side[0]}${time / intervalMs}`]),
    )
  const met = marked('left')
    .union(marked('right'))
    .mapWithState(meet, { ...PARTITIONS, timeout: 2 * intervalMs })
  met.filter((pair) => pair !== undefined).writeTo(args.sinkOf('met'))
  met.stateSnapshots().writeTo(args.sinkOf('waiting'))
}

/** The three pipelines, by name. */
export const WRITTEN: Readonly<Record<'stateless' | 'counted' | 'joined', WrittenPipeline>> = {
  stateless: {
    sides: ['left'],
    outputs: ['marked'],
    expected: expectedOfStateless,
    build: stateless,
  },
  counted: {
    sides: ['left'],
    outputs: ['totals', 'window'],
    expected: expectedOfCounted,
    build: counted,
  },
  joined: {
    sides: ['left', 'right'],
    outputs: ['met', 'waiting'],
    expected: expectedOfJoined,
    build: joined,
  },
}

export type WrittenName = keyof typeof WRITTEN

/** Describes one of the pipelines. */
export function writtenPipeline(name: WrittenName): Pipeline<WrittenArgs> {
  const options = { batchInterval: INTERVAL_MS, checkpoint: false } as const
  return pipeline(name, options, WRITTEN[name].build)
}
