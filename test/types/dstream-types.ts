// The type of each operator of DStream: what flows out is exactly what the closures give.

import type {
  Batch,
  DStream,
  JoinSide,
  MapWithStateDStream,
  Sink,
  State,
  StreamingContext,
  Widen,
} from 'millrace'
import { type All, type IsAny, is, type Same } from './expect-type.ts'

interface Visit {
  readonly page: string
  readonly ms?: number
}

export function records(words: DStream<string>, visits: DStream<Visit>): void {
  is<DStream<number>>()(words.map((word) => word.length))
  is<DStream<{ n: number }>>()(words.map((word) => ({ n: word.length })))
  is<DStream<readonly [string, 1]>>()(words.map((word) => [word, 1] as const))
  is<DStream<string | undefined>>()(words.map((word) => (word === '' ? undefined : word)))
  is<DStream<unknown>>()(words.map((word): unknown => JSON.parse(word)))
  is<DStream<string>>()(words.flatMap((word) => word.trim()))
  is<DStream<number>>()(words.flatMap((word) => new Set([word.length])))
  is<DStream<Visit>>()(visits.filter((visit) => visit.ms === 5))
  is<DStream<number | undefined>>()(visits.map((visit) => visit.ms))
  is<DStream<number>>()(visits.map((visit) => visit.ms).filter((ms) => ms !== undefined))
  is<DStream<'a'>>()(words.filter((word): word is 'a' => word === 'a'))
  is<DStream<string>>()(words.filter(Boolean))
  is<DStream<Date>>()(words.mapAsync(async (word) => new Date(word), { concurrency: 1 }))
  is<DStream<string[]>>()(words.glom())
  is<DStream<number>>()(words.mapPartitions((part) => [[...part].length]))
}

export function batches(words: DStream<string>, numbers: DStream<number>): void {
  is<DStream<string>>()(words.repartition(4))
  is<DStream<string>>()(words.union(words))
  is<DStream<number>>()(words.count())
  is<DStream<[string, number]>>()(words.countByValue())
  is<DStream<string>>()(words.reduce((a, b) => a + b))
  is<DStream<number>>()(words.transform((batch) => batch.map((word) => word.length)))
  is<DStream<[string, number]>>()(words.transformWith(numbers, (a, b) => a.zip(b)))
  is<DStream<number>>()(words.transformWith(numbers, (_a, b, time) => b.map((n) => n + time)))
}

export function windows(words: DStream<string>, pairs: DStream<[string, number]>): void {
  is<DStream<string>>()(words.window('2s', 500))
  is<DStream<number>>()(words.countByWindow('2s'))
  is<DStream<[string, number]>>()(words.countByValueAndWindow('2s', '1s', { partitions: 1 }))
  is<DStream<string>>()(words.reduceByWindow((a, b) => a + b, '2s'))
  is<DStream<string>>()(
    words.reduceByWindow(
      (a) => a,
      (a) => a,
      '2s',
      '1s',
    ),
  )
  is<DStream<[string, number[]]>>()(pairs.groupByKeyAndWindow('2s'))
  is<DStream<[string, number]>>()(pairs.reduceByKeyAndWindow((a, b) => a + b, '2s'))
  is<DStream<[string, number]>>()(
    pairs.reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      '2s',
      '1s',
      {
        filter: ([key, n]) => key.length > n,
      },
    ),
  )
}

export function pairs(pairs: DStream<[string, number]>, other: DStream<[string, Date]>): void {
  is<DStream<[string, string]>>()(pairs.mapValues(String))
  is<DStream<[string, boolean]>>()(pairs.flatMapValues((n) => [n > 0]))
  is<DStream<[string, number]>>()(pairs.reduceByKey(Math.max))
  is<DStream<[string, number[]]>>()(pairs.groupByKey())
  is<DStream<[string, Set<number>]>>()(
    pairs.combineByKey(
      (n) => new Set([n]),
      (set, n) => set.add(n),
      (a, b) => new Set([...a, ...b]),
    ),
  )
  is<DStream<[string, [number[], Date[]]]>>()(pairs.cogroup(other))
  is<DStream<[string, [number, Date]]>>()(pairs.join(other))
  is<DStream<[string, [number, Date | undefined]]>>()(pairs.leftOuterJoin(other))
  is<DStream<[string, [number | undefined, Date]]>>()(pairs.rightOuterJoin(other))
  is<DStream<[string, [number | undefined, Date | undefined]]>>()(pairs.fullOuterJoin(other))
}

export function tables(
  pairs: DStream<[string, number]>,
  map: ReadonlyMap<string, Date>,
  batch: Batch<readonly [string, Date]>,
  list: readonly (readonly [string, Date])[],
  any: JoinSide<string, Date>,
): void {
  is<DStream<[string, [number, Date]]>>()(pairs.join(map))
  is<DStream<[string, [number, Date]]>>()(pairs.join(batch))
  is<DStream<[string, [number, Date]]>>()(pairs.join(list))
  is<DStream<[string, [number, Date]]>>()(pairs.join(any))
  is<DStream<[string, [number, Date | undefined]]>>()(pairs.leftOuterJoin(map))
  is<DStream<[string, [number[], Date[]]]>>()(pairs.cogroup(batch))
}

export function state(pairs: DStream<[string, number]>): void {
  is<DStream<[string, bigint]>>()(
    pairs.updateStateByKey(
      (values, sum: bigint | undefined) => (sum ?? 0n) + BigInt(values.length),
    ),
  )
  is<DStream<[string, { n: number }]>>()(
    pairs.updateStateByKey(
      (values: number[], before: { n: number } | undefined, { key, time }) => {
        is<string>()(key)
        is<number>()(time)
        return values.length > 0 ? { n: values.length } : before
      },
      { initialState: [['a', { n: 1 }]], onlyActiveKeys: true },
    ),
  )
  const mapped = pairs.mapWithState((key, value, sum: State<Date>, { time }) => {
    is<string>()(key)
    is<number | undefined>()(value)
    is<number>()(time)
    return sum.exists() ? sum.get() : undefined
  })
  is<MapWithStateDStream<string, Date, Date>>()(mapped)
  is<DStream<[string, Date]>>()(mapped.stateSnapshots())
  is<DStream<number>>()(mapped.map((date) => date.getTime()))
}

export function literals(words: DStream<string>, big: DStream<readonly ['k', 1n]>): void {
  const ones = words.map((word) => [word, 1] as const)
  is<DStream<[string, number]>>()(ones.reduceByKey((a, b) => a + b))
  is<DStream<[string, number]>>()(ones.reduceByKeyAndWindow((a, b) => a + b, '2s'))
  is<DStream<[string, number]>>()(
    ones.reduceByKeyAndWindow(
      (a, b) => a + b,
      (a) => a,
      '2s',
    ),
  )
  is<DStream<['k', bigint]>>()(big.reduceByKey((a, b) => a + b))
  is<DStream<[string, 1[]]>>()(ones.groupByKey())
}

export type Widened = All<
  [
    Same<Widen<1 | 2>, number>,
    Same<Widen<'a'>, string>,
    Same<Widen<true>, boolean>,
    Same<Widen<boolean>, boolean>,
    Same<Widen<1n>, bigint>,
    Same<Widen<1 | undefined>, number | undefined>,
    Same<Widen<readonly [1]>, readonly [1]>,
    Same<Widen<{ a: 1 }>, { a: 1 }>,
    Same<Widen<unknown>, unknown>,
    IsAny<Widen<unknown>> extends false ? true : false,
  ]
>

export function outputs(words: DStream<string>, sink: Sink<string>, wide: Sink<unknown>): void {
  is<void>()(words.print())
  is<void>()(words.writeTo(sink))
  is<void>()(words.writeTo(wide))
  is<void>()(words.saveAsTextFiles('out/words', 'txt'))
  is<void>()(words.saveAsJsonFiles('out/words'))
  is<void>()(
    words.foreachBatch(async (batch, { time, batchId, epoch }) => {
      is<Batch<string>>()(batch)
      is<number>()(time + batchId + epoch)
    }),
  )
  // @ts-expect-error a sink of numbers takes no texts
  words.writeTo(sink as unknown as Sink<number>)
}

export function itself(words: DStream<string>, mapped: MapWithStateDStream<string, 1, 2>): void {
  is<DStream<string>>()(words.named('words').cache().persist('memory').unpersist().checkpoint('9s'))
  is<MapWithStateDStream<string, 1, 2>>()(mapped.named('m').persist())
  is<Promise<Batch<string>[]>>()(words.slice(0, 1))
}

export function context(
  ssc: StreamingContext,
  words: DStream<string>,
  numbers: DStream<number>,
): void {
  is<DStream<[string, number]>>()(ssc.queue([[['a', 1]] as [string, number][]]))
  is<DStream<[string, number]>>()(ssc.queue(new Set<[string, number][]>()))
  is<DStream<string>>()(ssc.union(words, words))
  is<DStream<[string, number]>>()(ssc.transform([words, numbers], ([w, n]) => w.zip(n)))
  is<DStream<string>>()(ssc.transform([words, words], (all) => all[0].union(all[1])))
  is<DStream<string>>()(
    ssc.transform([words, words] as DStream<string>[], (all) => all[0] as Batch<string>),
  )
}

/** Code over streams of any type says what it gives. */
export function tagged<T, U>(stream: DStream<T>, tag: (record: T) => U): DStream<U> {
  stream.map(tag).filter(() => true)
  return stream.map(tag)
}

/** Streams of several types take the same call. */
export function either(stream: DStream<[string, 1]> | DStream<[string, Date]>): DStream<string> {
  return stream.filter(([key]) => key !== '').map(([key, value]) => key + String(value))
}

// What holds `any` somewhere in the records that it gives: none, for all operators at once.
type RecordOf<R> = R extends { readonly records?: infer T }
  ? T
  : R extends Promise<infer P>
    ? P extends (infer B)[]
      ? RecordOf<B>
      : P
    : R
type HasAny<T> =
  IsAny<T> extends true
    ? true
    : T extends readonly unknown[]
      ? { [I in keyof T]: IsAny<T[I]> }[number] extends false
        ? false
        : true
      : false
export type Leaks<C> = {
  [K in keyof C]-?: C[K] extends (...args: never[]) => infer R
    ? HasAny<RecordOf<R>> extends true
      ? K
      : never
    : never
}[keyof C]

// biome-ignore lint/suspicious/noExplicitAny: what must be found
type Any = any
interface Leaking {
  a(): DStream<Any>
  b(): Promise<Any>
  c(): Promise<Batch<[string, Any]>[]>
  d(): Any
  e(): DStream<[string, unknown]>
}

export type NoLeaks = All<
  [
    Same<Leaks<DStream<[string, number]>>, never>,
    Same<Leaks<MapWithStateDStream<string, Date, number>>, never>,
    Same<Leaks<Batch<[string, number]>>, never>,
    Same<Leaks<StreamingContext>, never>,
    // The check itself bites.
    Same<Leaks<Leaking>, 'a' | 'b' | 'c' | 'd'>,
  ]
>
