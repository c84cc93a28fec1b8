// The functions that the cases name, and the pipelines that they describe (test/parity/README.md).

import { resolve } from 'node:path'
import type { Batch, DStream, Duration, State } from 'millrace'

/** One stage of a case: an operator's name with its argument, and options. */
export type StageSpec = Readonly<Record<string, unknown>>

// biome-ignore lint/suspicious/noExplicitAny: a case is data; its types are known to the case only
type Any = any
type Stream = DStream<Any>

const maps: Record<string, (arg: Any) => (x: Any) => unknown> = {
  toString: () => (x: Any) => String(x),
  toInt: () => (x) => Number.parseInt(x, 10),
  length: () => (x) => x.length,
  pairWith: (arg) => (x) => [x, arg],
  add: (arg) => (x) => x + arg,
  swap:
    () =>
    ([a, b]) => [b, a],
  first: () => (x) => x[0],
  second: () => (x) => x[1],
  pairWithLength: () => (x) => [x, x.length],
  modTenPairWith1: () => (x) => [x % 10, 1],
  throw: (arg) => () => {
    throw new Error(arg)
  },
  throwIfEquals: (arg) => (x) => {
    if (x === arg) throw new Error(`record is ${arg}`)
    return x
  },
}

const flatMaps: Record<string, (x: Any) => Iterable<unknown>> = {
  selfAndDouble: (x) => [x, 2 * x],
  chars: (x) => [...x],
  lengthCharPairs: (x) => [...x].map((ch) => [x.length, ch]),
  valueCharPairs: ([s, i]) => [...s].map((ch) => [i, ch]),
  splitSpace: (x) => x.split(' '),
}

const filters: Record<string, (x: Any) => boolean> = {
  even: (x) => x % 2 === 0,
  containsA: (x) => x.includes('a'),
  keyContainsA: ([k]) => k.includes('a'),
  valueNonZero: ([, v]) => v !== 0,
  valuePositive: ([, v]) => v > 0,
}

const partitionMaps: Record<string, (x: Iterable<Any>) => Iterable<unknown>> = {
  sum: (xs) => [[...xs].reduce((a, b) => a + b, 0)],
  concatUpper: (xs) => [[...xs].map((x) => x.toUpperCase()).join('')],
  swapEach: (xs) => [...xs].map(([a, b]) => [b, a]),
}

const reduces: Record<string, (a: Any, b: Any) => Any> = {
  sum: (a, b) => a + b,
  subtract: (a, b) => a - b,
  appendString: (a, b) => a + b,
}

const updates: Record<string, (values: Any[], state: Any, c: { time: number }) => Any> = {
  sumPlusState: (values, state) => values.reduce((a, b) => a + b, 0) + (state ?? 0),
  addTimeIfNew: (values, state, { time }) => (state ?? 0) + (values.length > 0 ? time : 0),
  appendList: (values, state = []) => {
    state.push(...values)
    return state
  },
  counterExpireAfterTwoIdle: (values, state = { counter: 0, idle: 0 }) => {
    if (values.length === 0) state.idle += 1
    else {
      state.counter += values.reduce((a, b) => a + b, 0)
      state.idle = 0
    }
    return state.idle === 2 ? undefined : state
  },
}

const mappings: Record<string, (k: Any, v: Any, s: State<Any>) => unknown> = {
  'runningCount:emitSum': (_k, v, s) => count(v, s),
  'runningCount:emitDoubledKey': (k, v, s) => {
    count(v, s)
    return k + k
  },
  'runningCount:emitKeyAndSum': (k, v, s) => [k, count(v, s)],
  'runningCount:emitNothing': (_k, v, s) => {
    count(v, s)
    return undefined
  },
  removeIfExistsElseSet: (k, v, s) => {
    if (s.exists()) {
      s.remove()
      return k
    }
    s.update(v)
    return undefined
  },
  'setOne:emitKeyWhenTimingOut': (k, _v, s) => {
    if (s.isTimingOut()) return k
    s.update(1)
    return undefined
  },
}

function count(v: Any, s: State<Any>): number {
  const sum = (v ?? 0) + (s.exists() ? s.get() : 0)
  s.update(sum)
  return sum
}

function named<T>(table: Record<string, T>, name: unknown): T {
  const found = table[String(name)]
  if (found === undefined) throw new Error(`the cases name a function "${name}" that is not here`)
  return found
}

/** What a case needs beside its stage. */
export interface Setting {
  readonly intervalMs: number
  readonly others: readonly Stream[]
  readonly union: (streams: Stream[]) => Stream
  readonly transform: (streams: Stream[], f: (batches: Batch<Any>[]) => Batch<Any>) => Stream
  /** Emit mapWithState's snapshots and not its records. */
  readonly snapshots: boolean
  /** Where files are saved. */
  readonly folder: string
}

type Apply = (stream: Stream, spec: Any, setting: Setting) => Stream

const partitionsOf = (spec: Any) =>
  typeof spec.partitions === 'number' ? { partitions: spec.partitions } : {}

const windowOf = (spec: Any, { intervalMs }: Setting): [Duration, Duration] => [
  spec.window * intervalMs,
  (spec.slide ?? 1) * intervalMs,
]

function join(
  name: 'join' | 'leftOuterJoin' | 'rightOuterJoin' | 'fullOuterJoin' | 'cogroup',
): Apply {
  return (stream, spec, { others }) => (stream as Any)[name](others[0], partitionsOf(spec))
}

const stages: Record<string, Apply> = {
  map: (s, spec) => s.map(named(maps, spec.map)(spec.arg)),
  flatMap: (s, spec) => s.flatMap(named(flatMaps, spec.flatMap)),
  filter: (s, spec) => s.filter(named(filters, spec.filter)),
  glom: (s) => s.glom(),
  mapPartitions: (s, spec) => s.mapPartitions(named(partitionMaps, spec.mapPartitions)),
  repartition: (s, spec) => s.repartition(spec.repartition),
  groupByKey: (s, spec) => s.groupByKey(partitionsOf(spec)),
  reduceByKey: (s, spec) => s.reduceByKey(named(reduces, spec.reduceByKey), partitionsOf(spec)),
  combineByKey: (s, spec) => {
    const { mergeValue, mergeCombiners } = spec.combineByKey
    const identity = (v: Any) => v
    const merges = [named(reduces, mergeValue), named(reduces, mergeCombiners)] as const
    return s.combineByKey(identity, ...merges, partitionsOf(spec))
  },
  reduce: (s, spec) => s.reduce(named(reduces, spec.reduce)),
  count: (s) => s.count(),
  countByValue: (s, spec) => s.countByValue(partitionsOf(spec)),
  mapValues: (s, spec) =>
    s.mapValues(
      spec.mapValues === 'upper'
        ? (v: Any) => v.toUpperCase()
        : spec.mapValues === 'counter'
          ? (v: Any) => v.counter
          : (v: Any) => v + spec.arg,
    ),
  flatMapValues: (s, spec) =>
    s.flatMapValues(
      spec.flatMapValues === 'suffix1And2'
        ? (v: Any) => [`${v}1`, `${v}2`]
        : (v: Any) => [v, v + spec.arg],
    ),
  union: (s, _spec, { others }) => others.reduce((a: Stream, b) => a.union(b), s),
  unionBranches: (s, spec, setting) =>
    setting.union(spec.unionBranches.map((branch: StageSpec[]) => applyStages(s, branch, setting))),
  transform: (s, spec) => s.transform((batch) => transformBatch(batch, spec.transform, spec.arg)),
  transformWith: (s, spec, { others }) =>
    s.transformWith(others[0] as Stream, (a: Batch<Any>, b: Batch<Any>) =>
      spec.transformWith === 'union' ? a.union(b) : (a as Any)[spec.transformWith](b),
    ),
  contextTransform: (s, spec, setting) => {
    const branches: Stream[] = spec.branches
      ? spec.branches.map((branch: StageSpec[]) => applyStages(s, branch, setting))
      : [s, ...setting.others]
    return setting.transform(branches, (batches) => combine(batches, spec.contextTransform))
  },
  cogroup: join('cogroup'),
  join: join('join'),
  leftOuterJoin: join('leftOuterJoin'),
  rightOuterJoin: join('rightOuterJoin'),
  fullOuterJoin: join('fullOuterJoin'),
  updateStateByKey: (s, spec) =>
    s.updateStateByKey(named(updates, spec.updateStateByKey), {
      ...partitionsOf(spec),
      ...(spec.initial === undefined ? {} : { initialState: spec.initial }),
    }),
  mapWithState: (s, spec, setting) => {
    const mapped = s.mapWithState(named(mappings, spec.mapWithState), {
      ...partitionsOf(spec),
      ...(spec.initial === undefined ? {} : { initialState: spec.initial }),
      ...(spec.timeoutMs === undefined ? {} : { timeout: spec.timeoutMs }),
    })
    return setting.snapshots ? mapped.stateSnapshots() : mapped
  },
  saveAsFiles: (s, spec, { folder }) => {
    s.saveAsTextFiles(resolve(folder, spec.saveAsFiles))
    return s
  },
  window: (s, spec, setting) => s.window(...windowOf(spec, setting)),
  countByWindow: (s, spec, setting) => s.countByWindow(...windowOf(spec, setting)),
  countByValueAndWindow: (s, spec, setting) =>
    s.countByValueAndWindow(...windowOf(spec, setting), partitionsOf(spec)),
  groupByKeyAndWindow: (s, spec, setting) =>
    s.groupByKeyAndWindow(...windowOf(spec, setting), partitionsOf(spec)),
  reduceByWindow: (s, spec, setting) => {
    const f = named(reduces, spec.reduceByWindow)
    return spec.inverse
      ? s.reduceByWindow(f, named(reduces, spec.inverse), ...windowOf(spec, setting))
      : s.reduceByWindow(f, ...windowOf(spec, setting))
  },
  reduceByKeyAndWindow: (s, spec, setting) => {
    const f = named(reduces, spec.reduceByKeyAndWindow)
    if (!spec.inverse)
      return s.reduceByKeyAndWindow(f, ...windowOf(spec, setting), partitionsOf(spec))
    return s.reduceByKeyAndWindow(f, named(reduces, spec.inverse), ...windowOf(spec, setting), {
      ...partitionsOf(spec),
      ...(spec.filter === undefined ? {} : { filter: named(filters, spec.filter) }),
    })
  },
}

function transformBatch(batch: Batch<Any>, name: string, arg: unknown): Batch<Any> {
  if (name.startsWith('map:')) return batch.map(named(maps, name.slice(4))(arg))
  if (name === 'sortByKey') return batch.sortByKey()
  if (name === 'selfCartesian') return batch.cartesian(batch)
  return null as unknown as Batch<Any>
}

function combine(batches: Batch<Any>[], name: string): Batch<Any> {
  const all = (chosen: Batch<Any>[]) => chosen.reduce((a, b) => a.union(b))
  if (name === 'unionAll') return all(batches)
  const [a, b, c] = batches as [Batch<Any>, Batch<Any>, Batch<Any>]
  if (name === 'unionFirstTwoPairSelfJoinThird') {
    return a
      .union(b)
      .map((x) => [x, x] as const)
      .join(c)
  }
  return all(
    name
      .slice('union:'.length)
      .split(',')
      .map((i) => batches[Number(i) - 1] as Batch<Any>),
  )
}

/** Applies the stages of a case, in order. */
export function applyStages(stream: Stream, specs: readonly StageSpec[], setting: Setting): Stream {
  return specs.reduce((s, spec) => {
    const name = Object.keys(spec).find((key) => key in stages)
    if (name === undefined) throw new Error(`no stage is known for ${JSON.stringify(spec)}`)
    return (stages[name] as Apply)(s, spec, setting)
  }, stream)
}
