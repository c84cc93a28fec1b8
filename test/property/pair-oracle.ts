// Operators on pairs twice: as the engine runs them, and written down over plain arrays in the
// order that the engine defines. A shuffle combines each source partition and merges the results in
// the order of the partitions; keys stand in first-seen order.

import type { DStream } from 'millrace'
import { partitionOf } from '../../src/batch/partitioner.ts'

export type Value = number | string
export type Pair = [string, Value]
export type Parts = readonly (readonly Pair[])[]
export type Pairs = DStream<Pair>

/** What the values of a pipeline are: how they are added, made of a count, and changed. */
export interface Domain {
  readonly add: (a: Value, b: Value) => Value
  readonly lift: (n: number) => Value
  readonly change: (value: Value) => Value
  /** Values for which a state is dropped. */
  readonly drop: (value: Value) => boolean
}

/** Settings of one operator; lengths and slides count the batches of its parent. */
export interface Settings {
  readonly partitions: number
  readonly length: number
  readonly slide: number
}

/** A running oracle: gives the partitions for the batch at `n`, from 1; undefined: none then. */
export type Step = (n: number, parts: Parts | undefined) => Parts | undefined

export interface Operator {
  readonly build: (s: Pairs, domain: Domain, settings: Settings) => Pairs
  /** `slide` counts batch intervals: that of the parent. */
  readonly oracle: (domain: Domain, settings: Settings, slide: number) => Step
  /** True if the stream that it makes has the slide of the settings. */
  readonly slides?: true
  readonly integersOnly?: true
}

const each =
  (f: (part: readonly Pair[]) => Pair[]): Step =>
  (_n, parts) =>
    parts?.map(f)

const ms = (s: Pairs, batches: number): number => batches * s.node.slideMs

function cut(partitions: number, pairs: Iterable<readonly [string, unknown]>): Parts {
  const result: Pair[][] = Array.from({ length: partitions }, () => [])
  for (const [key, value] of pairs) {
    result[partitionOf(key, partitions)]?.push([key, value as Value])
  }
  return result
}

function reduce(parts: Parts, add: Domain['add'], partitions: number): Parts {
  const merged = new Map<string, Value>()
  const put = (into: Map<string, Value>, [key, value]: readonly [string, Value]): void => {
    const before = into.get(key)
    into.set(key, before === undefined ? value : add(before, value))
  }
  for (const part of parts) {
    const partial = new Map<string, Value>()
    for (const pair of part) put(partial, pair)
    for (const pair of partial) put(merged, pair)
  }
  return cut(partitions, merged)
}

/** The union of the last `length` of the batches that come, every `every` intervals. */
function window(length: number, every: number): Step {
  const panes: Parts[] = []
  return (n, parts) => {
    if (parts === undefined) return undefined
    panes.push(parts)
    return n % every === 0 ? panes.slice(-length).flat(1) : undefined
  }
}

function reducedWindow(domain: Domain, settings: Settings, slide: number): Step {
  const { partitions, length } = settings
  const recent = window(length, settings.slide * slide)
  return (n, parts) => {
    const panes = recent(n, parts && reduce(parts, domain.add, partitions))
    return panes && reduce(panes, domain.add, partitions)
  }
}

/** As the window reduced anew; a key keeps its place as long as some batch of the window has it. */
function inverseWindow(domain: Domain, settings: Settings, slide: number): Step {
  const anew = reducedWindow(domain, settings, slide)
  let order: string[] = []
  return (n, parts) => {
    const reduced = anew(n, parts)
    if (reduced === undefined) return undefined
    const values = new Map(reduced.flat(1))
    const kept = order.filter((key) => values.has(key))
    order = [...new Set([...kept, ...values.keys()])]
    const wanted = order.map((key) => [key, values.get(key)] as const)
    return cut(
      settings.partitions,
      wanted.filter(([, value]) => value !== 0),
    )
  }
}

function updateState({ add, drop }: Domain, { partitions }: Settings): Step {
  const state = new Map<string, Value>()
  return (_n, parts) => {
    if (parts === undefined) return undefined
    const groups = new Map<string, Value[]>()
    for (const [key, value] of parts.flat(1)) groups.set(key, [...(groups.get(key) ?? []), value])
    for (const key of new Set([...state.keys(), ...groups.keys()])) {
      const after = updated(groups.get(key) ?? [], state.get(key), add)
      if (drop(after)) state.delete(key)
      else state.set(key, after)
    }
    return cut(partitions, state)
  }
}

function updated(values: Value[], before: Value | undefined, add: Domain['add']): Value {
  const all = before === undefined ? values : [before, ...values]
  return all.slice(1).reduce(add, all[0] as Value)
}

const swapped: Readonly<Record<string, string>> = { a: 'b', b: 'a' }
const swap = ([key, value]: Pair): Pair => [swapped[key] ?? key, value]
const wanted = ([key]: Pair): boolean => key !== 'c'
const twiceA = (pair: Pair): Pair[] => (pair[0] === 'a' ? [pair, ['d', pair[1]]] : [pair])
const take = (a: number, b: number): number => a - b

export const operators: Readonly<Record<string, Operator>> = {
  map: { build: (s) => s.map(swap), oracle: () => each((part) => part.map(swap)) },
  filter: { build: (s) => s.filter(wanted), oracle: () => each((part) => part.filter(wanted)) },
  flatMap: { build: (s) => s.flatMap(twiceA), oracle: () => each((part) => part.flatMap(twiceA)) },
  mapValues: {
    build: (s, { change }) => s.mapValues(change),
    oracle: ({ change }) => each((part) => part.map(([key, value]) => [key, change(value)])),
  },
  reduceByKey: {
    build: (s, { add }, { partitions }) => s.reduceByKey(add, { partitions }),
    oracle:
      ({ add }, { partitions }) =>
      (_n, parts) =>
        parts && reduce(parts, add, partitions),
  },
  window: {
    slides: true,
    build: (s, _domain, { length, slide }) => s.window(ms(s, length), ms(s, slide)),
    oracle: (_domain, { length, slide }, every) => window(length, slide * every),
  },
  reduceByKeyAndWindow: {
    slides: true,
    build: (s, { add }, { length, slide, partitions }) =>
      s.reduceByKeyAndWindow(add, ms(s, length), ms(s, slide), { partitions }),
    oracle: reducedWindow,
  },
  'reduceByKeyAndWindow with an inverse': {
    slides: true,
    integersOnly: true,
    build: (s, { add }, { length, slide, partitions }) =>
      s.reduceByKeyAndWindow(add, take as Domain['add'], ms(s, length), ms(s, slide), {
        partitions,
        filter: ([, value]) => value !== 0,
      }),
    oracle: inverseWindow,
  },
  updateStateByKey: {
    build: (s, { add, drop }, { partitions }) =>
      s.updateStateByKey(
        (values: Value[], before: Value | undefined) => {
          const after = updated(values, before, add)
          return drop(after) ? undefined : after
        },
        { partitions },
      ),
    oracle: updateState,
  },
  union: {
    build: (s, { change }) => s.union(s.mapValues(change)),
    oracle:
      ({ change }) =>
      (_n, parts) =>
        parts && [
          ...parts,
          ...parts.map((part) => part.map(([key, value]): Pair => [key, change(value)])),
        ],
  },
  count: {
    build: (s, { lift }) => s.count().map((n): Pair => ['n', lift(n)]),
    oracle:
      ({ lift }) =>
      (_n, parts) =>
        parts && [[['n', lift(parts.flat(1).length)]]],
  },
  countByValue: {
    build: (s, { lift }, { partitions }) =>
      s
        .map(([key]) => key)
        .countByValue({ partitions })
        .mapValues(lift),
    oracle:
      ({ lift }, { partitions }) =>
      (_n, parts) => {
        const ones = parts?.map((part) => part.map(([key]): Pair => [key, 1]))
        const sum = (a: Value, b: Value): Value => (a as number) + (b as number)
        const counts = ones && reduce(ones, sum, partitions)
        return counts?.map((part) => part.map(([key, n]): Pair => [key, lift(n as number)]))
      },
  },
}
