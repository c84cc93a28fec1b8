// What the oracles share: pairs cut into partitions as the engine defines it. A shuffle combines
// each source partition and merges the results in the order of the partitions; within a partition
// keys stand in first-seen order.

import type { DStream, StreamingContext } from 'millrace'
import { partitionOf } from '../../src/batch/partitioner.ts'

export type Value = number | string
export type Pair = [string, Value]
export type Parts = readonly (readonly Pair[])[]
export type Pairs = DStream<Pair>
export type Add = (a: Value, b: Value) => Value

/** What the values of a pipeline are: how they are added, made of a count, and changed. */
export interface Domain {
  readonly add: Add
  readonly lift: (n: number) => Value
  readonly change: (value: Value) => Value
  /** Values for which a state is dropped. */
  readonly drop: (value: Value) => boolean
  /** Numbers that add without rounding: windows with an inverse need them. */
  readonly exact: boolean
}

/** Settings of one operator; lengths and slides count the batches of its parent. */
export interface Settings {
  readonly partitions: number
  readonly length: number
  readonly slide: number
  readonly domain: Domain
}

/** What the oracle of an operator is told beside its parent's batch. */
export interface Now {
  /** The batch's number, from 1. */
  readonly n: number
  /** The second stream's batch at this time, at the slide of the parent; undefined: none. */
  readonly other: Parts | undefined
}

/** A running oracle, asked at each slide of the parent: gives the partitions; undefined: none. */
export type Step = (parts: Parts | undefined, now: Now) => Parts | undefined

export interface Operator {
  /** `other` has the slide of `s`. */
  readonly build: (s: Pairs, settings: Settings, other: Pairs, ssc: StreamingContext) => Pairs
  /** `every` counts batch intervals: the slide of the parent. */
  readonly oracle: (settings: Settings, every: number) => Step
  /** The stream that it makes has the slide of the settings. */
  readonly slides?: true
  readonly exactOnly?: true
  /** Makes more records of few; a chain has a bounded number of these. */
  readonly grows?: true
}

export type Operators = Readonly<Record<string, Operator>>

/** An operator needs a batch of each of its parents, and one of them has none. */
export class Missing extends Error {}

/** The batch of a parent without which there is no result. */
export function need(parts: Parts | undefined): Parts {
  if (parts === undefined) throw new Missing()
  return parts
}

/** A step over each batch by itself; where the parent has none there is none. */
export const each =
  (f: (parts: Parts, now: Now) => Parts): Step =>
  (parts, now) =>
    parts && f(parts, now)

/** As `each`, where a missing parent is an error. */
export const strictly =
  (f: (parts: Parts, now: Now) => Parts): Step =>
  (parts, now) =>
    f(need(parts), now)

/** A length in milliseconds of so many batches of a stream. */
export const ms = (s: Pairs, batches: number): number => batches * s.node.slideMs

/** Cuts keyed records as a shuffle does. */
export function cut<T extends readonly [string, unknown]>(
  partitions: number,
  records: Iterable<T>,
): T[][] {
  const result: T[][] = Array.from({ length: partitions }, () => [])
  for (const record of records) result[partitionOf(record[0], partitions)]?.push(record)
  return result
}

/** Cuts records at floor(i·n/p). */
export function cutEvenly<T>(records: readonly T[], partitions: number): T[][] {
  const at = (i: number) => Math.floor((i * records.length) / partitions)
  return Array.from({ length: partitions }, (_, i) => records.slice(at(i), at(i + 1)))
}

/** The closures of combineByKey. */
export interface Combiners<V, C> {
  readonly create: (value: V) => C
  readonly mergeValue: (combiner: C, value: V) => C
  readonly mergeCombiners: (a: C, b: C) => C
}

export function combine<V, C>(
  parts: readonly (readonly (readonly [string, V])[])[],
  { create, mergeValue, mergeCombiners }: Combiners<V, C>,
  partitions: number,
): [string, C][][] {
  const merged = new Map<string, C>()
  for (const part of parts) {
    const partial = new Map<string, C>()
    for (const [key, value] of part) {
      partial.set(key, partial.has(key) ? mergeValue(partial.get(key) as C, value) : create(value))
    }
    for (const [key, combiner] of partial) {
      const before = merged.get(key)
      merged.set(key, merged.has(key) ? mergeCombiners(before as C, combiner) : combiner)
    }
  }
  return cut(partitions, merged)
}

export function reduce(parts: Parts, add: Add, partitions: number): Pair[][] {
  const by = { create: (value: Value) => value, mergeValue: add, mergeCombiners: add }
  return combine(parts, by, partitions)
}

/** The values of each key in order of arrival. */
export function group(parts: Parts, partitions: number): [string, Value[]][][] {
  const by: Combiners<Value, Value[]> = {
    create: (value) => [value],
    mergeValue: (values, value) => [...values, value],
    mergeCombiners: (a, b) => [...a, ...b],
  }
  return combine(parts, by, partitions)
}

/** All values added: within each partition, then from partition to partition. */
export function total(parts: readonly (readonly Value[])[], add: Add): Value[] {
  const sums = parts.filter((part) => part.length > 0).map((part) => part.reduce(add))
  return sums.length === 0 ? [] : [sums.reduce(add)]
}

/** The values of one batch's partitions. */
export const valuesOf = (parts: Parts): Value[][] =>
  parts.map((part) => part.map(([, value]) => value))
