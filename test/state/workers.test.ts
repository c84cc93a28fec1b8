// Several workers together give what one gives, to the order of the records, whatever attempts
// fail and however often the run is restarted with another number of workers.

import fc from 'fast-check'
import type { State } from 'millrace'
import { describe, expect, test } from 'vitest'
import { MapWithStateOperator } from '../../src/state/map-with-state-operator.ts'
import { ReducedWindowOperator, type WindowSeat } from '../../src/state/reduced-window-operator.ts'
import type { OperatorChange, StatefulRuntime } from '../../src/state/stateful-operator.ts'
import { UpdateStateOperator } from '../../src/state/update-state-operator.ts'
import { WindowOperator } from '../../src/state/window-operator.ts'
import { byKey, Crew, type Pair, type Pairs, reduced } from './crew.ts'

const PARTITIONS = 4
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)

/** Throws when it has been called often enough. */
class Fuse {
  #left = Number.POSITIVE_INFINITY

  set(calls: number): void {
    this.#left = calls
  }

  call(): void {
    this.#left -= 1
    if (this.#left < 0) throw new Error('burnt through')
  }
}

/** A value of the pairs: numbers, texts, or objects that the closures change in place. */
type Value = number | string | { list: unknown[] }

function add(a: Value, b: Value): Value {
  if (typeof a === 'object') {
    if (typeof b === 'object') a.list.push(...b.list.splice(0))
    else a.list.push(b)
    return a
  }
  return (a as number) + (b as number)
}

const subtract = (a: number, b: number): number => a - b

interface Kind {
  readonly make: (seat: WindowSeat, fuse: Fuse) => StatefulRuntime
  readonly pairs: (batch: readonly Pair[], fuse: Fuse) => Pairs
  readonly slide?: number
  readonly layout?: 'turns'
  readonly numbersOnly?: true
}

const whole = { partitions: PARTITIONS, initialState: [['a', 1.5]] as Pair[] }

const total = (key: string, value: Value | undefined, state: State<Value>, fuse: Fuse) => {
  fuse.call()
  if (state.isTimingOut()) return [key, 'out', state.get()]
  if (typeof value === 'string' && value.length === 1 && state.exists()) {
    state.remove()
    return [key, 'removed']
  }
  if (value === 0.5) return [key, 'seen', state.exists()]
  const sum = state.exists() ? add(state.get(), value ?? 0) : (value as Value)
  state.update(sum)
  return value === 2 ? undefined : [key, structuredClone(state.get())]
}

const mapWithState = (timeoutMs: number | undefined): Kind => ({
  make: (seat, fuse) => {
    const f = (key: string, value: Value, state: State<Value>) => total(key, value, state, fuse)
    return new MapWithStateOperator('op', { ...whole, f: f as never, timeoutMs }, seat)
  },
  pairs: (batch) => byKey(batch, PARTITIONS),
})

const updateState = (onlyActiveKeys: boolean): Kind => ({
  make: (seat, fuse) => {
    const f = (values: Value[], before: Value | undefined) => {
      fuse.call()
      if (values.includes(2) && before !== undefined) return undefined
      return values.reduce((a: Value | undefined, b) => (a === undefined ? b : add(a, b)), before)
    }
    return new UpdateStateOperator('op', { ...whole, f: f as never, onlyActiveKeys }, seat)
  },
  pairs: (batch) =>
    byKey(batch, PARTITIONS).map((part) => {
      const groups = new Map<unknown, unknown[]>()
      for (const [key, value] of part) groups.set(key, [...(groups.get(key) ?? []), value])
      return [...groups]
    }),
})

const window = (length: number, slide: number): Kind => ({
  make: (seat) => new WindowOperator('op', length, seat),
  pairs: (batch) => [batch.slice(0, 2), batch.slice(2), []].slice(0, 1 + (batch.length % 3)),
  slide,
  layout: 'turns',
})

const reducedWindow = (length: number, slide: number, inverse: boolean): Kind => ({
  make: (seat, fuse) => {
    const fused = (f: (a: never, b: never) => unknown) => (a: never, b: never) => {
      fuse.call()
      return f(a, b)
    }
    const options = {
      lengthMs: length,
      f: fused(add),
      inverse: inverse ? fused(subtract) : undefined,
      filter: inverse ? ([, value]: [string, number]) => value !== 0 : undefined,
      partitions: PARTITIONS,
    }
    return new ReducedWindowOperator('op', options as never, seat)
  },
  pairs: (batch) => reduced(structuredClone(batch), PARTITIONS, add),
  slide,
  ...(inverse ? { numbersOnly: true } : {}),
})

const kinds: Readonly<Record<string, Kind>> = {
  mapWithState: mapWithState(undefined),
  'mapWithState with a timeout': mapWithState(3),
  updateStateByKey: updateState(false),
  'updateStateByKey of active keys': updateState(true),
  'a window': window(3, 1),
  'a window that slides by two': window(4, 2),
  'a window with an inverse': reducedWindow(4, 1, true),
  'a window with an inverse that slides by two': reducedWindow(5, 2, true),
  'a window with an inverse, shorter than its slide': reducedWindow(2, 3, true),
  'a window without an inverse': reducedWindow(4, 1, false),
  'a window without an inverse that slides by two': reducedWindow(5, 2, false),
  'a window without an inverse, shorter than its slide': reducedWindow(2, 3, false),
}

const key = fc.constantFrom('a', 'b', 'c', 'a key longer than a slice', '\u0000', 'e', 'f', 'g')
const numbers = fc.constantFrom<Value>(0.1, 0.2, 1, 2, 1e16, -0, 0.5, 3.7)
const mixed = fc.oneof(
  numbers,
  fc.constantFrom<Value>('x', 'more than a slice of text', '\ud800'),
  fc.constantFrom<Value>(1).map((n): Value => ({ list: [n, 'y'] })),
)
const batchOf = (value: fc.Arbitrary<Value>) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.tuple(key, value), { maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  )
const event = fc.record({
  /** After how many calls of the closure the first attempt fails. */
  failsAt: fc.option(fc.nat(6)),
  /** The first attempt is at another batch, which is dropped. */
  drops: fc.boolean(),
  /** With how many workers the run is restarted after the batch. */
  restart: fc.option(fc.constantFrom(1, 2, 3, 4, 7), { freq: 4 }),
  /** After the batch a snapshot is begun, if none is being taken. */
  snapshot: fc.boolean(),
  /** How many of its pieces are taken while the next attempts are under way, and after each. */
  pieces: fc.nat(3),
  /** Batches skipped before this one. */
  skip: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(9)),
})
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never
type Batch = readonly Pair[] | undefined

/** The log of a run: the newest snapshot, and the changes since. */
interface Log {
  snapshot: readonly OperatorChange[]
  changes: OperatorChange[]
  taking: Taking | undefined
}

/** A snapshot while it is taken, and the changes since it was begun. */
interface Taking {
  readonly left: Iterator<OperatorChange, void>
  readonly pieces: OperatorChange[]
  readonly changes: OperatorChange[]
}

/** Takes some pieces; once it has all, a restart begins with them. */
function take(log: Log, pieces: number): void {
  const { taking } = log
  for (let n = 0; n < pieces && log.taking !== undefined && taking !== undefined; n++) {
    const { value, done } = taking.left.next()
    if (done === true) {
      Object.assign(log, { snapshot: taking.pieces, changes: taking.changes, taking: undefined })
    } else taking.pieces.push(value)
  }
}

/** Runs the batches on one worker, calmly. */
function calm(kind: Kind, batches: readonly Batch[], events: readonly Event[]): unknown[][][] {
  const fuse = new Fuse()
  const crew = new Crew((seat) => kind.make(seat, fuse), 1)
  return times(batches, events).map((time, i) => {
    const batch = batches[i]
    return crew.batch(time, batch && kind.pairs(batch, fuse), time % (kind.slide ?? 1) === 0)
  })
}

/** Runs them on several workers, with failed attempts and restarts. */
function rough(kind: Kind, batches: readonly Batch[], events: readonly Event[], workers: number) {
  const fuse = new Fuse()
  const make = (n: number) => new Crew((seat) => kind.make(seat, fuse), n, kind.layout)
  const log: Log = { snapshot: [], changes: [], taking: undefined }
  let crew = make(workers)
  return times(batches, events).map((time, i) => {
    const { failsAt, drops, restart, snapshot, pieces } = events[i] as Event
    const run = (at = i): unknown[][] => {
      const batch = structuredClone(batches[at % batches.length])
      return crew.attempt(time, batch && kind.pairs(batch, fuse), time % (kind.slide ?? 1) === 0)
    }
    if (failsAt !== null) {
      fuse.set(failsAt)
      try {
        run(drops ? i + 5 : i)
      } catch {}
      fuse.set(Number.POSITIVE_INFINITY)
      take(log, pieces)
    }
    const result = run()
    take(log, pieces)
    const changes = crew.changes()
    for (const list of [log.changes, log.taking?.changes]) if (changes) list?.push(changes)
    crew.merge()
    if (snapshot) log.taking ??= { left: crew.freeze(), pieces: [], changes: [] }
    take(log, pieces)
    if (restart !== null) {
      crew = make(restart)
      log.taking = undefined
      crew.restore(log.snapshot)
      for (const change of log.changes) crew.apply(change)
    }
    return result
  })
}

function times(batches: readonly Batch[], events: readonly Event[]): number[] {
  let time = 0
  return batches.map((_, i) => {
    time += 1 + (events[i]?.skip ?? 0)
    return time
  })
}

describe('several workers give what one gives, whatever fails and restarts', () => {
  for (const [name, kind] of Object.entries(kinds)) {
    const values = kind.numbersOnly ? { numbers } : { numbers, mixed }
    test.each(Object.entries(values))(`${name}, over %s`, (_values, value) => {
      const length = 14
      const batches = fc.array(batchOf(value), { minLength: length, maxLength: length })
      const events = fc.array(event, { minLength: length, maxLength: length })
      const property = fc.property(
        batches,
        events,
        fc.constantFrom(1, 2, 3, 8),
        (input, happens, workers) => {
          const got = rough(kind, structuredClone(input), happens, workers)
          expect(got).toStrictEqual(calm(kind, structuredClone(input), happens))
        },
      )
      fc.assert(property, { numRuns: Math.ceil(RUNS / 25), seed: 7 })
    })
  }
})
