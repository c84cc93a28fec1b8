// Pipelines whose closures change in place whatever they are handed, and may throw in the middle
// of it. Each closure is declared through `own`: a test runs the pipeline also with closures that
// get copies, which must give the same.

import { Batch, type DStream, type State } from 'millrace'

export interface Tally {
  n: number
  seen: string[]
}
export interface Name {
  of: string
  tags: string[]
}
export type Pair = [Name, Tally]
export type Pairs = DStream<Pair>

// biome-ignore lint/suspicious/noExplicitAny: closures of any type
type Closure = (...args: any[]) => any

/** What a pipeline is made with. */
export interface Hands {
  /** Called in the middle of a change; may throw. */
  readonly mayThrow: () => void
  /** Gives the closure that the engine is to call. */
  readonly own: <F extends Closure>(f: F) => F
}

export type Build = (s: Pairs, hands: Hands) => DStream<unknown>

export const pair = (key: string, n: number): Pair => [
  { of: key, tags: [] },
  { n, seen: [`${key}${n}`] },
]

/** The batches that the pipelines run over. */
export const batches: Pair[][] = [
  [pair('a', 1), pair('b', 2), pair('a', 3), pair('c', 4)],
  [pair('b', 5), pair('a', 6), pair('b', 7)],
  [],
  [pair('c', 8), pair('a', 9)],
]

/** Adds `from` to `into` in place, and may throw once it has begun. */
function merge(into: Tally, from: Tally, { mayThrow }: Hands): Tally {
  into.n += from.n
  mayThrow()
  into.seen.push(...from.seen.splice(0))
  return into
}

/** Takes `gone` out of `from` in place. */
function take(from: Tally, gone: Tally, { mayThrow }: Hands): Tally {
  from.n -= gone.n
  mayThrow()
  from.seen = from.seen.filter((name) => !gone.seen.includes(name))
  gone.seen.length = 0
  return from
}

/** Spoils a key and a value, and gives what they were. */
function spoil([key, value]: Pair, { mayThrow }: Hands): string {
  const shown = JSON.stringify([key, value])
  key.tags.push('spoiled')
  value.n = -value.n
  mayThrow()
  value.seen.length = 0
  key.of = 'spoiled'
  return shown
}

const fresh = (): Tally => ({ n: 0, seen: [] })
const initialState: Pair[] = [pair('a', 100), pair('z', 200)]
const reducing = (hands: Hands) => hands.own((a: Tally, b: Tally) => merge(a, b, hands))
const taking = (hands: Hands) => hands.own((a: Tally, b: Tally) => take(a, b, hands))
const spoiling = (hands: Hands) => hands.own((record: Pair) => spoil(record, hands))

/** Sums in place; a state that is full is dropped. */
function updating(hands: Hands) {
  return hands.own((tallies: Tally[], before: Tally | undefined, { key }: { key: Name }) => {
    const state = before ?? fresh()
    key.tags.push('spoiled')
    for (const tally of tallies.splice(0)) merge(state, tally, hands)
    hands.mayThrow()
    state.seen.push('called')
    return state.n > 110 ? undefined : state
  })
}

/** Sums in place without asking `update` first; every fourth value removes the state. */
function mapping(hands: Hands) {
  return hands.own((key: Name, tally: Tally | undefined, state: State<Tally>) => {
    const sum = state.exists() ? state.get() : fresh()
    if (state.isTimingOut()) {
      sum.seen.push('out')
      hands.mayThrow()
      key.tags.push('spoiled')
      return [key.of, sum]
    }
    if (tally !== undefined) merge(sum, tally, hands)
    const name = key.of
    key.of = 'spoiled'
    if (sum.n % 4 === 0 && state.exists()) state.remove()
    else state.update(sum)
    hands.mayThrow()
    return [name, sum]
  })
}

const state: Readonly<Record<string, Build>> = {
  updateStateByKey: (s, hands) => s.updateStateByKey(updating(hands)).map(spoiling(hands)),
  'updateStateByKey with an initial state': (s, hands) =>
    s.updateStateByKey(updating(hands), { initialState }),
  'updateStateByKey of active keys only': (s, hands) =>
    s.updateStateByKey(updating(hands), { onlyActiveKeys: true }).map(spoiling(hands)),
  mapWithState: (s, hands) => s.mapWithState(mapping(hands)),
  'mapWithState with an initial state and a timeout': (s, hands) =>
    s.mapWithState(mapping(hands), { initialState, timeout: '1s' }),
  'a snapshot of mapWithState': (s, hands) =>
    s.mapWithState(mapping(hands), { initialState, timeout: '2s' }).stateSnapshots(),
  'a snapshot and the records of mapWithState': (s, hands) => {
    const mapped = s.mapWithState(mapping(hands), { initialState })
    const snapshots = mapped.stateSnapshots()
    const shown = snapshots.map(spoiling(hands)).union(snapshots.map(spoiling(hands)))
    return shown.union(mapped.map(hands.own((record) => JSON.stringify(record))))
  },
  'a state of a state': (s, hands) =>
    s.updateStateByKey(updating(hands)).updateStateByKey(updating(hands)),
}

const inverse = { partitions: 2 }
const wanted = (hands: Hands) =>
  hands.own(([key, tally]: Pair) => {
    key.tags.push('spoiled')
    tally.seen.push('spoiled')
    hands.mayThrow()
    return tally.n !== 0
  })

const windows: Readonly<Record<string, Build>> = {
  'a window read twice': (s, hands) => {
    const recent = s.window('2s')
    return recent.map(spoiling(hands)).union(recent.map(spoiling(hands)))
  },
  reduceByWindow: (s, hands) =>
    s.map(hands.own(([, tally]: Pair) => tally)).reduceByWindow(reducing(hands), '2s', '1s'),
  'reduceByWindow with an inverse': (s, hands) =>
    s
      .map(hands.own(([, tally]: Pair) => tally))
      .reduceByWindow(reducing(hands), taking(hands), '2s', '1s'),
  reduceByKeyAndWindow: (s, hands) =>
    s.reduceByKeyAndWindow(reducing(hands), '3s', '2s').map(spoiling(hands)),
  'reduceByKeyAndWindow with an inverse': (s, hands) =>
    s
      .reduceByKeyAndWindow(reducing(hands), taking(hands), '2s', '1s', inverse)
      .map(spoiling(hands)),
  'reduceByKeyAndWindow with an inverse and a filter': (s, hands) =>
    s
      .reduceByKeyAndWindow(reducing(hands), taking(hands), '2s', '1s', { filter: wanted(hands) })
      .map(hands.own(([key]: Pair) => key.of)),
  groupByKeyAndWindow: (s, hands) =>
    s.groupByKeyAndWindow('2s', '1s').mapValues(
      hands.own((tallies: Tally[]) => {
        const [first = fresh(), ...rest] = tallies.splice(0)
        for (const tally of rest) merge(first, tally, hands)
        hands.mayThrow()
        return first
      }),
    ),
  'countByValueAndWindow of objects': (s, hands) =>
    s
      .countByValueAndWindow('2s', '1s')
      .map(hands.own(([record, n]: [Pair, number]) => [n, spoil(record, hands)])),
  'partitions of a window, emptied': (s, hands) =>
    s
      .map(hands.own(([key, tally]: Pair) => `${key.of}${tally.n}`))
      .window('3s')
      .mapPartitions((records) => {
        const taken = (records as string[]).splice(0).reverse()
        hands.mayThrow()
        return taken
      }),
}

const table = Batch.of([pair('a', -1), pair('c', -3)], 2)

const batchwise: Readonly<Record<string, Build>> = {
  reduceByKey: (s, hands) => s.reduceByKey(reducing(hands)).map(spoiling(hands)),
  combineByKey: (s, hands) =>
    s.combineByKey(
      hands.own((tally: Tally) => merge(fresh(), tally, hands)),
      reducing(hands),
      reducing(hands),
    ),
  reduce: (s, hands) => s.map(hands.own(([, tally]: Pair) => tally)).reduce(reducing(hands)),
  'cogroup of a window with the batch': (s, hands) =>
    s
      .window('2s')
      .cogroup(s)
      .map(
        hands.own(([key, [recent, now]]: [Name, [Tally[], Tally[]]]) => {
          const all = [...recent.splice(0), ...now.splice(0)].reduce((a, b) => merge(a, b, hands))
          key.tags.push('spoiled')
          return all
        }),
      ),
  'join of two windows': (s, hands) =>
    s
      .window('2s')
      .join(s.window('3s'))
      .mapValues(
        hands.own(([a, b]: [Tally, Tally]) => {
          const shown = [a.n, b.n]
          hands.mayThrow()
          return shown
        }),
      ),
  'leftOuterJoin with a reduced window': (s, hands) =>
    s
      .reduceByKey(reducing(hands))
      .leftOuterJoin(s.reduceByKeyAndWindow(reducing(hands), '2s', '1s'))
      .mapValues(hands.own(([a, b]: [Tally, Tally | undefined]) => merge(a, b ?? fresh(), hands))),
  'join with a table': (s, hands) =>
    s
      .reduceByKey(reducing(hands))
      .transform((batch) => batch.join(table))
      .map(
        hands.own(([key, [a, b]]: [Name, [Tally, Tally]]) => [
          spoil([key, b], hands),
          merge(a, b, hands),
        ]),
      ),
  'sorting and cutting a window in transform': (s, hands) =>
    s.window('2s').transform((batch) =>
      batch
        .map(hands.own(([key, tally]: Pair): [string, Tally] => [key.of, tally]))
        .sortByKey(false)
        .repartition(3)
        .mapValues(hands.own((tally: Tally) => merge(fresh(), tally, hands))),
    ),
  'a cached stream read three times': (s, hands) => {
    const cached = s.map(hands.own(([key, tally]: Pair): Pair => [key, tally])).cache()
    const spoiled = cached.map(spoiling(hands))
    return spoiled
      .union(cached.map(spoiling(hands)))
      .union(cached.window('2s').map(spoiling(hands)))
  },
  'mapAsync that is tried again': (s, hands) =>
    s.mapAsync(
      hands.own(async (record: Pair) => {
        await Promise.resolve()
        return spoil(record, hands)
      }),
      { concurrency: 2, retries: 1 },
    ),
  'flatMap and flatMapValues': (s, hands) =>
    s
      .flatMap(
        hands.own(([key, tally]: Pair): Pair[] => {
          const left = pair(key.of, tally.n)
          tally.seen.length = 0
          hands.mayThrow()
          return [[key, tally], left]
        }),
      )
      .flatMapValues(hands.own((tally: Tally) => tally.seen.splice(0)))
      .groupByKey(),
}

/** Every pipeline by name. */
export const builds: Readonly<Record<string, Build>> = { ...state, ...windows, ...batchwise }
