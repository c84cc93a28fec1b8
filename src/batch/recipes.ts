// The algebra that DStream and Batch share: each function gives a recipe, which makes a node of its
// parents' nodes. Operators that are made of others are composed here, once.

import { ConfigError } from '../errors.ts'
import { compareKeys } from './key-order.ts'
import type { AsyncOp, BatchNode, BatchOp, NarrowOp, Recipe } from './node.ts'
import { BatchNode as Node } from './node.ts'
import { synchronous } from './promise.ts'
import type { Records } from './records.ts'

type Pair = readonly [unknown, unknown]
type Any = (...values: never[]) => unknown
type Parts = readonly Records<unknown>[]

/** How an operator is called, and whether it is made once for the whole run. */
export interface Naming {
  readonly name: string
  readonly fixed: boolean
}

const of =
  (op: BatchOp): Recipe =>
  (parents) =>
    new Node(op, parents)

/** Applies recipes one after the other. */
export function chain(...recipes: readonly Recipe[]): Recipe {
  return (parents) => {
    let nodes = parents
    for (const recipe of recipes) nodes = [recipe(nodes)]
    return nodes[0] as BatchNode
  }
}

export function narrow(kind: NarrowOp['kind'], f: Any, naming: Naming): Recipe {
  return of({ kind, f, ...naming })
}

export function mapPartitions(
  f: (records: Iterable<never>, partition: number) => Iterable<unknown>,
  naming: Naming,
): Recipe {
  return of({ kind: 'mapPartitions', f, ...naming })
}

export function glom(naming: Naming): Recipe {
  return mapPartitions((records) => [[...records]], naming)
}

export function union(naming: Naming): Recipe {
  return of({ kind: 'union', ...naming })
}

export function cache(naming: Naming): Recipe {
  return of({ kind: 'cache', ...naming })
}

export function mapAsync(
  options: Pick<AsyncOp, 'f' | 'concurrency' | 'timeoutMs' | 'retries'>,
  naming: Naming,
): Recipe {
  return of({ kind: 'mapAsync', ...options, ...naming })
}

/** The closures of combineByKey; without `create` the first value is the combiner. */
export interface Combiners {
  readonly create?: Any
  readonly mergeValue: Any
  readonly mergeCombiners: Any
}

export function combineByKey(by: Combiners, partitions: number, naming: Naming): Recipe {
  const { create, mergeValue, mergeCombiners } = by
  return of({ kind: 'combineByKey', create, mergeValue, mergeCombiners, partitions, ...naming })
}

export function reduceByKey(f: Any, partitions: number, naming: Naming): Recipe {
  return combineByKey({ mergeValue: f, mergeCombiners: f }, partitions, naming)
}

export function groupByKey(partitions: number, naming: Naming): Recipe {
  const by: Combiners = {
    create: (value: unknown) => [value],
    mergeValue: (values: unknown[], value: unknown) => {
      values.push(value)
      return values
    },
    mergeCombiners: concat,
  }
  return combineByKey(by, partitions, naming)
}

function concat(into: unknown[], from: unknown[]): unknown[] {
  for (const value of from) into.push(value)
  return into
}

export function countByValue(partitions: number, naming: Naming): Recipe {
  const add = (a: number, b: number) => a + b
  const one = narrow('map', (value: unknown) => [value, 1], naming)
  return chain(one, reduceByKey(add, partitions, naming))
}

export function distinct(partitions: number, naming: Naming): Recipe {
  const first = (a: null) => a
  return chain(
    narrow('map', (value: unknown) => [value, null], naming),
    reduceByKey(first, partitions, naming),
    narrow('map', (pair: Pair) => pair[0], naming),
  )
}

/** Gives [key, [values of the first parent, values of the second, …]]. */
export function cogroup(partitions: number, naming: Naming): Recipe {
  return of({ kind: 'cogroup', partitions, ...naming })
}

/** Which sides of a join may be absent. */
export type JoinKind = 'inner' | 'left' | 'right' | 'full'

type Grouped = readonly [unknown, readonly [readonly unknown[], readonly unknown[]]]

const ABSENT: readonly unknown[] = [undefined]

export function join(kind: JoinKind, partitions: number, naming: Naming): Recipe {
  const keepLeft = kind === 'left' || kind === 'full'
  const keepRight = kind === 'right' || kind === 'full'
  const pairUp = ([key, [lefts, rights]]: Grouped) => {
    const left = lefts.length === 0 && keepRight ? ABSENT : lefts
    const right = rights.length === 0 && keepLeft ? ABSENT : rights
    const pairs: Pair[] = []
    for (const a of left) for (const b of right) pairs.push([key, [a, b]])
    return pairs
  }
  return chain(cogroup(partitions, naming), narrow('flatMap', pairUp, naming))
}

export function subtractByKey(partitions: number, naming: Naming): Recipe {
  const keep = ([key, [lefts, rights]]: Grouped) =>
    rights.length > 0 ? [] : lefts.map((value) => [key, value])
  return chain(cogroup(partitions, naming), narrow('flatMap', keep, naming))
}

/** An operator over all partitions of one parent at once. Default: as many partitions as before. */
export function exchange(
  f: (partitions: Parts) => unknown[][],
  naming: Naming,
  counts: (partitions: number) => number = (n) => n,
): Recipe {
  return of({
    kind: 'exchange',
    f: (parents) => f(parents[0] ?? []),
    counts: ([n = 0]) => counts(n),
    ...naming,
  })
}

export function reduce(f: (a: never, b: never) => unknown, naming: Naming): Recipe {
  const merge = (a: unknown, b: unknown) => synchronous(f(a as never, b as never))
  const fold = (records: Records<unknown>): unknown[] => {
    if (records.length === 0) return []
    let result = records.at(0)
    for (let i = 1; i < records.length; i++) result = merge(result, records.at(i))
    return [result]
  }
  return of({
    kind: 'exchange',
    partial: fold,
    f: ([partials = []]) => [fold(flatten(partials))],
    counts: () => 1,
    ...naming,
  })
}

export function count(naming: Naming): Recipe {
  return of({ kind: 'count', ...naming })
}

/** Moves each pair, in order of arrival, to the partition of its key. */
export function repartitionPairs(partitions: number, naming: Naming): Recipe {
  return of({ kind: 'route', partitions, ...naming })
}

/** Cuts the records, in order, into `n` partitions whose lengths differ by at most one. */
export function repartition(n: number, naming: Naming): Recipe {
  return exchange(
    (partitions) => cutEvenly(flatten(partitions), n),
    naming,
    () => n,
  )
}

/** Joins neighbouring partitions until at most `n` are left. */
export function coalesce(n: number, naming: Naming): Recipe {
  const target = (partitions: number) => Math.min(n, Math.max(partitions, 1))
  return exchange(
    (partitions) => cutEvenly([...partitions], target(partitions.length)).map(flatten),
    naming,
    target,
  )
}

export function sortBy(options: {
  readonly keyOf: (record: never) => unknown
  readonly ascending: boolean
  readonly partitions: number | undefined
  readonly naming: Naming
}): Recipe {
  const { keyOf, partitions: count, naming } = options
  const sign = options.ascending ? 1 : -1
  const counts = (partitions: number) => count ?? Math.max(partitions, 1)
  const sort = (partitions: Parts) => {
    const keyed = flatten(partitions) as Pair[]
    keyed.sort((a, b) => sign * compareKeys(a[0], b[0]))
    return cutEvenly(keyed, counts(partitions.length))
  }
  return chain(
    narrow('map', (record: unknown) => [synchronous(keyOf(record as never)), record], naming),
    exchange(sort, naming, counts),
    narrow('map', (pair: Pair) => pair[1], naming),
  )
}

export function cartesian(naming: Naming): Recipe {
  return of({
    kind: 'exchange',
    f: ([lefts = [], rights = []]) =>
      lefts.flatMap((left) =>
        rights.map((right) => flatten([left]).flatMap((a) => flatten([right]).map((b) => [a, b]))),
      ),
    counts: ([lefts = 0, rights = 0]) => lefts * rights,
    ...naming,
  })
}

/** Applies `f` to the partitions of two parents that stand at the same place. */
export function zipPartitions(
  f: (lefts: never, rights: never) => Iterable<unknown>,
  naming: Naming,
): Recipe {
  const zip = ([lefts = [], rights = []]: readonly Parts[]) => {
    if (lefts.length !== rights.length) {
      throw new ConfigError(
        `${lefts.length} and ${rights.length} partitions cannot be zipped: the numbers must be ` +
          `the same; repartition one of the batches`,
      )
    }
    return lefts.map((left, i) => {
      const right = flatten([rights[i] as Records<unknown>])
      return Array.from(synchronous(f(flatten([left]) as never, right as never)))
    })
  }
  return of({ kind: 'exchange', f: zip, counts: ([n = 0]) => n, ...naming })
}

export function zipWithIndex(naming: Naming): Recipe {
  return exchange((partitions) => {
    let index = 0
    return partitions.map((part) => flatten([part]).map((record) => [record, index++]))
  }, naming)
}

/** Keeps each record with probability `fraction`, by a generator seeded for each partition. */
export function sample(fraction: number, seed: number, naming: Naming): Recipe {
  return mapPartitions(function* keep(records, partition) {
    const random = mulberry32(seed ^ Math.imul(partition + 1, 0x9e3779b1))
    for (const record of records) if (random() < fraction) yield record
  }, naming)
}

/** Tommy Ettinger's mulberry32: a small seeded generator, uniform in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** All records in partition order. */
export function flatten(partitions: Parts): unknown[] {
  const records: unknown[] = []
  for (const part of partitions) for (let i = 0; i < part.length; i++) records.push(part.at(i))
  return records
}

/** Partition `i` holds the records from floor(i·n/p) to before floor((i+1)·n/p). */
export function cutEvenly<T>(records: readonly T[], partitions: number): T[][] {
  return Array.from({ length: partitions }, (_, i) =>
    records.slice(
      Math.floor((i * records.length) / partitions),
      Math.floor(((i + 1) * records.length) / partitions),
    ),
  )
}
