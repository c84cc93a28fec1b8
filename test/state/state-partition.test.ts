import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/batch/codec.ts'
import { columnLength } from '../../src/batch/columns.ts'
import { tokenOf } from '../../src/batch/key.ts'
import {
  type StateColumns,
  type StateEntries,
  StatePartition,
} from '../../src/state/state-partition.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1_000)

type Entry = readonly [key: unknown, value: unknown, mark: number]

function entriesOf(state: StatePartition): Entry[] {
  return Array.from(state.keys.liveIds(), (id) => [
    state.keys.keyAt(id),
    state.valueAt(id),
    state.markAt(id),
  ])
}

/** A partition that holds numbers under texts. */
function filled(count: number): StatePartition {
  const state = new StatePartition('test', true)
  for (let i = 0; i < count; i++) state.put(`key ${i}`, i, 1)
  state.merge()
  return state
}

const idOf = (state: StatePartition, key: unknown): number => state.keys.find(tokenOf(key))

function throughLog<C>(columns: C | undefined): C {
  return decode(encode(columns, 'changes')) as C
}

const key = fc.oneof(
  { weight: 5, arbitrary: fc.nat(140).map((n) => `the key with the number ${n}`) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(0, -1, true, null, '\u0000s', ['a', 1]) },
)
const value = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, -0, 1, 0.5, Number.NaN) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, 'a text that is long', { n: 1 }) },
)
const command = fc.oneof(
  { weight: 30, arbitrary: fc.tuple(fc.constant('put' as const), key, value, fc.nat(3)) },
  { weight: 30, arbitrary: fc.tuple(fc.constant('remove' as const), key) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('merge' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('rollback' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('reload' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('freeze' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('take' as const)) },
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

/** A state, what is committed of it as a Map has it, and another that follows by the changes. */
class Bench {
  state = new StatePartition('test', true)
  readonly follower = new StatePartition('test', true)
  #model = new Map<unknown, Entry>()
  #committed = new Map<unknown, Entry>()
  #frozen: { readonly pieces: Iterable<StateEntries>; readonly entries: Entry[] } | undefined

  do(command: Command): void {
    if (command[0] === 'put') this.#put(command[1], command[2], command[3])
    else if (command[0] === 'remove') this.#remove(command[1])
    else if (command[0] === 'merge') this.#merge()
    else if (command[0] === 'rollback') this.#rollback()
    else if (command[0] === 'freeze') this.#freeze()
    else if (command[0] === 'take') this.#take()
    else this.#reload()
  }

  #freeze(): void {
    if (this.#frozen !== undefined) return
    this.#merge()
    this.#frozen = { pieces: this.state.freeze(), entries: [...this.#committed.values()] }
  }

  /** What was frozen is as it was, whatever came since. */
  #take(): void {
    if (this.#frozen === undefined) return
    const restored = new StatePartition('test', true)
    for (const piece of this.#frozen.pieces) restored.load(throughLog(piece))
    expect(entriesOf(restored)).toStrictEqual(this.#frozen.entries)
    this.state.thaw()
    this.#frozen = undefined
  }

  #rollback(): void {
    this.state.rollback()
    this.#model = new Map(this.#committed)
    expect(entriesOf(this.state)).toStrictEqual([...this.#model.values()])
  }

  #put(key: unknown, value: unknown, mark: number): void {
    this.state.put(key, this.state.seal(value), mark)
    this.#model.set(tokenOf(key), [key, value, mark])
  }

  #remove(key: unknown): void {
    const id = idOf(this.state, key)
    if (id >= 0) this.state.remove(id)
    this.#model.delete(tokenOf(key))
  }

  #merge(): void {
    const changes = this.state.changes()
    if (changes !== undefined) this.follower.write(throughLog(changes))
    this.state.merge()
    this.follower.merge()
    this.#committed = new Map(this.#model)
    expect(entriesOf(this.state)).toStrictEqual([...this.#model.values()])
    expect(entriesOf(this.follower)).toStrictEqual([...this.#model.values()])
    expect(this.state.changes()).toBeUndefined()
  }

  #reload(): void {
    this.#take()
    this.#merge()
    const pieces = [...this.state.freeze()].map(throughLog)
    this.state = new StatePartition('test', true)
    for (const piece of pieces) this.state.load(piece)
    expect(entriesOf(this.state)).toStrictEqual([...this.#committed.values()])
  }
}

describe('a partition of a state', () => {
  test('is what a Map would be, after any merge, rollback and restart', () => {
    const property = fc.property(fc.array(command, { size: 'max', maxLength: 900 }), (commands) => {
      const bench = new Bench()
      for (const one of commands) bench.do(one)
      bench.do(['merge'])
    })
    fc.assert(property, { numRuns: Math.ceil(RUNS / 10), seed: 11 })
  })

  test('renumbers its keys in their order once more than half of the ids are holes', () => {
    const state = filled(200)
    for (let i = 0; i < 200; i++) if (i % 4 !== 0) state.remove(idOf(state, `key ${i}`))
    expect(state.merge()?.filter((to) => to >= 0)).toEqual(
      Int32Array.from({ length: 50 }, (_, i) => i),
    )
    expect(state.keys.end).toBe(50)
    expect(entriesOf(state).map(([key]) => key)).toEqual(
      Array.from({ length: 50 }, (_, i) => `key ${i * 4}`),
    )
    expect(idOf(state, 'key 8')).toBe(2)
  })

  test('is renumbered once it is frozen no more', () => {
    const state = filled(200)
    const all = entriesOf(state)
    const pieces = state.freeze()
    for (let i = 0; i < 200; i++) if (i % 4 !== 0) state.remove(idOf(state, `key ${i}`))
    expect(state.merge()).toBeUndefined()
    state.put('key 0', -1, 2)
    const restored = new StatePartition('test', true)
    for (const piece of pieces) restored.load(throughLog(piece))
    expect(entriesOf(restored)).toEqual(all)
    state.thaw()
    expect(state.merge()).toHaveLength(200)
    expect(state.keys.end).toBe(50)
  })

  test('keeps numbers as floats again after a failed attempt stored something else', () => {
    const state = filled(3)
    state.set(1, 'no number')
    expect(state.values.numeric).toBe(false)
    state.rollback()
    expect(state.values.numeric).toBe(true)
    expect(entriesOf(state).map(([, value]) => value)).toEqual([0, 1, 2])
  })

  test('puts a key that was removed and comes back in the same batch at the end', () => {
    const state = filled(3)
    state.remove(0)
    state.put('key 0', 9, 1)
    const follower = filled(3)
    follower.write(throughLog(state.changes()))
    state.merge()
    follower.merge()
    for (const one of [state, follower]) {
      expect(entriesOf(one).map(([key]) => key)).toEqual(['key 1', 'key 2', 'key 0'])
    }
  })
})

test('a snapshot of many keys comes in pieces, and of great values too', () => {
  const many = filled(10_000)
  expect([...many.freeze()].map(({ keys }) => columnLength(keys))).toEqual([4_096, 4_096, 1_808])
  const wide = new StatePartition('test', false)
  for (let i = 0; i < 10; i++) wide.put(i, wide.seal({ text: 'x'.repeat(60_000) }), 0)
  wide.merge()
  expect([...wide.freeze()].map(({ keys }) => columnLength(keys))).toEqual([2, 2, 2, 2, 2])
})

describe('the changes of a batch', () => {
  test('leave out keys whose state is as it was', () => {
    const state = filled(10)
    state.set(3, 99)
    state.set(3, 3)
    state.set(4, 4)
    state.setMark(5, 1)
    expect(state.changes()).toBeUndefined()
    state.setMark(5, 2)
    expect(entriesOfColumns(state.changes())).toEqual([['key 5', 5, 2]])
  })

  test('leave out keys that came and went within it', () => {
    const state = filled(2)
    state.put('new', 1, 1)
    state.remove(idOf(state, 'new'))
    expect(state.changes()).toBeUndefined()
  })

  test('grow with what changed and not with the state', () => {
    const state = filled(20_000)
    state.set(7, -1)
    expect(encode(state.changes(), 'changes').length).toBeLessThan(500)
  })
})

function entriesOfColumns(columns: StateColumns | undefined): Entry[] {
  const state = new StatePartition('test', true)
  state.write(throughLog(columns))
  return entriesOf(state)
}
