// Operations that run a batch and give what it holds. They work in foreachBatch and on the batches
// of slice(); elsewhere they reject with ACTION_NOT_ALLOWED. All of them run in the driver's thread
// over the partitions in order.

import { ConfigError, StreamingError } from '../errors.ts'
import type { Batch, PairBatch } from './batch.ts'
import { dynamic } from './batch-base.ts'
import { JoinTransformations } from './join-transformations.ts'
import { tokenOf } from './key.ts'
import { compareKeys } from './key-order.ts'
import { synchronous } from './promise.ts'
import * as recipes from './recipes.ts'
import { freshCopies } from './zero.ts'

/** The actions. Each call runs the lineage anew, unless it is cached. */
export abstract class BatchActions<T> extends JoinTransformations<T> {
  /** All records in partition order.
   *
   * @example
   * ```ts
   * assert.deepEqual(await onBatch([1, 2], (numbers) => numbers.collect()), [1, 2])
   * ```
   */
  async collect(): Promise<T[]> {
    return (await this.#run()).flat(1) as T[]
  }

  /** The records of each partition.
   *
   * @example
   * ```ts
   * assert.deepEqual(await onBatch([1, 2, 3], (numbers) => numbers.partitions()), [[1], [2, 3]])
   * ```
   */
  async partitions(): Promise<T[][]> {
    return (await this.#run()).map((part) => part.slice())
  }

  /** How many partitions the batch has.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([1], (numbers) => numbers.repartition(5).numPartitions()), 5)
   * ```
   */
  async numPartitions(): Promise<number> {
    return (await this.#run()).length
  }

  /** The number of records.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch(['a', 'b'], (words) => words.count()), 2)
   * ```
   */
  async count(): Promise<number> {
    return (await this.#run()).reduce((n, part) => n + part.length, 0)
  }

  /** True if there is no record.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch(['a'], (words) => words.filter(() => false).isEmpty()), true)
   * ```
   */
  async isEmpty(): Promise<boolean> {
    return (await this.#run()).every((part) => part.length === 0)
  }

  /** The first `n` records in partition order; none if `n` is 0 or less.
   *
   * @example
   * ```ts
   * assert.deepEqual(await onBatch([3, 1, 2], (numbers) => numbers.take(2)), [3, 1])
   * ```
   */
  async take(n: number): Promise<T[]> {
    requireWhole(n, 'take')
    return (await this.collect()).slice(0, Math.max(0, n))
  }

  /** The first record; rejects with BATCH_EMPTY if there is none.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.first()), 3)
   * ```
   */
  async first(): Promise<T> {
    const found = await this.take(1)
    return found.length > 0 ? (found[0] as T) : refuseEmpty('give the first record of')
  }

  /** The `n` greatest records, greatest first, in the order of `compare`, else of `sortBy`; none if
   * `n` is 0 or less. Equal ones stand in the order in which they came.
   *
   * @example
   * ```ts
   * assert.deepEqual(await onBatch([3, 1, 2], (numbers) => numbers.top(2)), [3, 2])
   * ```
   */
  top(n: number, compare: (a: T, b: T) => number = compareKeys): Promise<T[]> {
    return this.#ordered(n, 'top', (a, b) => compare(b, a))
  }

  /** The `n` smallest records, smallest first, in the order of `compare`, else of `sortBy`; none
   * if `n` is 0 or less. Equal ones stand in the order in which they came.
   *
   * @example
   * ```ts
   * assert.deepEqual(await onBatch([3, 1, 2], (numbers) => numbers.takeOrdered(2)), [1, 2])
   * ```
   */
  takeOrdered(n: number, compare: (a: T, b: T) => number = compareKeys): Promise<T[]> {
    return this.#ordered(n, 'takeOrdered', compare)
  }

  /** The greatest record in the order of `compare`, else of `sortBy`; of equal ones the first.
   * Rejects with BATCH_EMPTY if there is none.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.max()), 3)
   * ```
   */
  async max(compare: (a: T, b: T) => number = compareKeys): Promise<T> {
    return this.#merge('give the greatest record of', (a, b) => (compare(b, a) > 0 ? b : a))
  }

  /** The smallest record in the order of `compare`, else of `sortBy`; of equal ones the first.
   * Rejects with BATCH_EMPTY if there is none.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.min()), 1)
   * ```
   */
  async min(compare: (a: T, b: T) => number = compareKeys): Promise<T> {
    return this.#merge('give the smallest record of', (a, b) => (compare(b, a) < 0 ? b : a))
  }

  /** The sum of numbers; 0 if there is none. Partitions are added first, then their sums.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.sum()), 6)
   * ```
   */
  sum(this: Batch<number>): Promise<number> {
    return this.fold(0, (a, b) => a + b)
  }

  /** Merges all records with `f`, which must be associative: each partition, then the results.
   * Rejects with BATCH_EMPTY if there is none.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.reduce((a, b) => a * b)), 6)
   * ```
   */
  async reduce(f: (a: T, b: T) => T): Promise<T> {
    return this.#merge('reduce', f)
  }

  /** As `reduce`, from `zero`, which must be neutral: it enters once for each partition and once
   * more, each time as a fresh copy.
   *
   * @example
   * ```ts
   * assert.equal(await onBatch([3, 1, 2], (numbers) => numbers.fold(0, (a, b) => a + b)), 6)
   * ```
   */
  fold(zero: T, f: (a: T, b: T) => T): Promise<T> {
    return this.aggregate(zero, f, f)
  }

  /** Folds each partition with `add` from a copy of `zero`, and the results with `merge` from
   * another. Rejects with VALUE_NOT_STORABLE if `zero` cannot be copied.
   *
   * @example
   * ```ts
   * const text = await onBatch([1, 2, 3], (numbers) =>
   *   numbers.aggregate('', (so, n) => so + n, (a, b) => `${a}|${b}`),
   * )
   * assert.equal(text, '|1|23')
   * ```
   */
  async aggregate<U>(zero: U, add: (sum: U, record: T) => U, merge: (a: U, b: U) => U): Promise<U> {
    const fresh = freshCopies(zero, 'aggregate')
    let total = fresh()
    for (const part of await this.#run()) {
      let sum = fresh()
      for (const record of part) sum = synchronous(add(sum, record))
      total = synchronous(merge(total, sum))
    }
    return total
  }

  /** Calls `f` with each record in order, and awaits what it gives before the next one.
   *
   * @example
   * ```ts
   * const seen: number[] = []
   * await onBatch([1, 2], (numbers) => numbers.foreach((n) => void seen.push(n)))
   * assert.deepEqual(seen, [1, 2])
   * ```
   */
  async foreach(f: (record: T) => void | Promise<void>): Promise<void> {
    for (const record of await this.collect()) await f(record)
  }

  /** Calls `f` with the records of each partition in order, and awaits what it gives before the
   * next one.
   *
   * @example
   * ```ts
   * const sizes: number[] = []
   * await onBatch([1, 2, 3], (n) => n.foreachPartition((part) => void sizes.push(part.length)))
   * assert.deepEqual(sizes, [1, 2])
   * ```
   */
  async foreachPartition(f: (records: T[]) => void | Promise<void>): Promise<void> {
    for (const part of await this.partitions()) await f(part)
  }

  /** The records in partition order, one after the other.
   *
   * @example
   * ```ts
   * const seen = await onBatch([1, 2], async (numbers) => {
   *   const all: number[] = []
   *   for await (const n of numbers) all.push(n)
   *   return all
   * })
   * assert.deepEqual(seen, [1, 2])
   * ```
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (const part of await this.#run()) yield* part
  }

  /** Each value with its number of occurrences, in first-seen order. Values are compared as keys
   * are; `get` of the Map finds primitives only, so go through it for others.
   *
   * @example
   * ```ts
   * const counts = await onBatch(['a', 'b', 'a'], (words) => words.countByValue())
   * assert.deepEqual([...counts], [['a', 2], ['b', 1]])
   * ```
   */
  async countByValue(): Promise<Map<T, number>> {
    const recipe = recipes.countByValue(1, dynamic('countByValue'))
    return new Map(await this.lift<[T, number]>(recipe).collect())
  }

  /** Each key with its number of pairs, in first-seen order. Keys are compared by value; `get` of
   * the Map finds primitives only, so go through it for others.
   *
   * @example
   * ```ts
   * const pairs = [['a', 5], ['a', 6]] as [string, number][]
   * assert.equal((await onBatch(pairs, (batch) => batch.countByKey())).get('a'), 2)
   * ```
   */
  async countByKey<K, V>(this: PairBatch<K, V>): Promise<Map<K, number>> {
    const naming = dynamic('countByKey')
    const one = recipes.narrow('mapValues', () => 1, naming)
    const recipe = recipes.chain(one, recipes.reduceByKey(add, 1, naming))
    return new Map(await this.lift<[K, number]>(recipe).collect())
  }

  /** The pairs as a Map, in first-seen order of the keys; of several values the last one counts.
   * Keys are compared by value; `get` finds primitives only.
   *
   * @example
   * ```ts
   * const pairs = [['a', 5], ['a', 6]] as [string, number][]
   * assert.equal((await onBatch(pairs, (batch) => batch.collectAsMap())).get('a'), 6)
   * ```
   */
  async collectAsMap<K, V>(this: PairBatch<K, V>): Promise<Map<K, V>> {
    const last = (_before: V, value: V) => value
    const recipe = recipes.reduceByKey(last, 1, dynamic('collectAsMap'))
    return new Map(await this.lift<[K, V]>(recipe).collect())
  }

  /** The values of one key, in order of arrival. Rejects with KEY_NOT_COMPARABLE for what cannot
   * be a key.
   *
   * @example
   * ```ts
   * const pairs = [['a', 5], ['b', 0], ['a', 6]] as [string, number][]
   * assert.deepEqual(await onBatch(pairs, (batch) => batch.lookup('a')), [5, 6])
   * ```
   */
  async lookup<K, V>(this: PairBatch<K, V>, key: K): Promise<V[]> {
    const wanted = new Set([tokenOf(key)])
    const isIt = (pair: readonly [K, V]) => wanted.has(tokenOf(pair[0]))
    const found = this.lift<[K, V]>(recipes.narrow('filter', isIt, dynamic('lookup')))
    return (await found.collect()).map((pair) => pair[1])
  }

  #run(): Promise<readonly (readonly T[])[]> {
    return this.runtime.run(this.node) as Promise<T[][]>
  }

  async #ordered(n: number, action: string, compare: (a: T, b: T) => number): Promise<T[]> {
    requireWhole(n, action)
    return (await this.collect()).sort(compare).slice(0, Math.max(0, n))
  }

  /** Merges each partition that has records, and then the results. */
  async #merge(what: string, f: (a: T, b: T) => T): Promise<T> {
    const merge = (a: T, b: T) => synchronous(f(a, b))
    const parts = (await this.#run()).filter((part) => part.length > 0)
    return parts.length > 0
      ? parts.map((part) => part.reduce(merge)).reduce(merge)
      : refuseEmpty(what)
  }
}

function add(a: number, b: number): number {
  return a + b
}

function requireWhole(n: number, action: string): void {
  if (Number.isSafeInteger(n)) return
  throw new ConfigError(`Cannot ${action} ${n} records: it must be a whole number`)
}

function refuseEmpty(what: string): never {
  throw new StreamingError(
    'BATCH_EMPTY',
    `Cannot ${what} an empty batch: ask isEmpty() first, or use take or fold`,
  )
}
