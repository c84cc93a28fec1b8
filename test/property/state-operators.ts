// Operators with keyed state, for the engine and over arrays. They look at their state at each
// slide of their parent, whether it had a batch then or not.

import type { State } from 'millrace'
import {
  cut,
  type Domain,
  group,
  ms,
  type Operators,
  type Pair,
  type Settings,
  type Step,
  type Value,
} from './step.ts'

/** Adds the values to the state; undefined, which removes it, for one that is to be dropped. */
function updated(values: readonly Value[], before: Value | undefined, domain: Domain) {
  const all = before === undefined ? values : [before, ...values]
  const after = all.slice(1).reduce(domain.add, all[0] as Value)
  return domain.drop(after) ? undefined : after
}

const initialState = ({ lift }: Domain): Pair[] => [
  ['a', lift(1)],
  ['z', lift(2)],
  ['', lift(7)],
]

function updateState(settings: Settings, initial: readonly Pair[]): Step {
  const { partitions, domain } = settings
  const state = new Map<string, Value>(initial)
  return (parts = []) => {
    const groups = new Map(group(parts, partitions).flat(1))
    for (const key of new Set([...state.keys(), ...groups.keys()])) {
      const after = updated(groups.get(key) ?? [], state.get(key), domain)
      if (after === undefined) state.delete(key)
      else state.set(key, after)
    }
    return cut(partitions, state)
  }
}

/** Only keys with new values are looked at, and emitted. */
function updateActive({ partitions, domain }: Settings): Step {
  const state = new Map<string, Value>()
  return (parts = []) =>
    group(parts, partitions).map((part) =>
      part.flatMap(([key, values]): Pair[] => {
        const after = updated(values, state.get(key), domain)
        if (after === undefined) state.delete(key)
        else state.set(key, after)
        return after === undefined ? [] : [[key, after]]
      }),
    )
}

/** The state of one key for one call. */
interface Cell {
  readonly value: Value
  readonly touched: number
}

/** Emits what it did; 'dd' is only looked at once it is there, and dropped values remove a key. */
function mapped(domain: Domain) {
  return (key: string, value: Value | undefined, state: State<Value>): Pair | undefined => {
    if (state.isTimingOut()) return [`${key}!`, state.get()]
    if (key === 'dd' && state.exists()) return undefined
    const sum = state.exists() ? domain.add(state.get(), value as Value) : (value as Value)
    if (domain.drop(sum) && state.exists()) state.remove()
    else state.update(sum)
    return key === 'b' ? undefined : [key, sum]
  }
}

function handleOf(cell: Cell | undefined, timingOut: boolean) {
  const handle = { value: cell?.value, changed: false }
  const state: State<Value> = {
    exists: () => handle.value !== undefined,
    get: () => handle.value as Value,
    update(value) {
      handle.value = value
      handle.changed = true
    },
    remove() {
      handle.value = undefined
      handle.changed = true
    },
    isTimingOut: () => timingOut,
  }
  return { handle, state }
}

/** A key that is removed and comes again stands behind all others, within one batch too. */
class MappedState {
  readonly #cells = new Map<string, Cell>()
  readonly #f: ReturnType<typeof mapped>
  readonly #timeout: number | undefined

  constructor(initial: readonly Pair[], domain: Domain, timeout: number | undefined, n: number) {
    for (const [key, value] of initial) this.#cells.set(key, { value, touched: n })
    this.#f = mapped(domain)
    this.#timeout = timeout
  }

  run(pairs: readonly Pair[], n: number): Pair[] {
    const emitted = pairs.flatMap((pair) => this.#visit(pair, n))
    if (this.#timeout !== undefined) emitted.push(...this.#expire(n - this.#timeout))
    return emitted
  }

  snapshot(): Pair[] {
    return Array.from(this.#cells, ([key, cell]): Pair => [key, cell.value])
  }

  #visit([key, value]: Pair, n: number): Pair[] {
    const { handle, state } = handleOf(this.#cells.get(key), false)
    const result = this.#f(key, value, state)
    const touched = handle.changed || this.#timeout !== undefined
    if (handle.value === undefined) this.#cells.delete(key)
    else if (touched) this.#cells.set(key, { value: handle.value, touched: n })
    return result === undefined ? [] : [result]
  }

  #expire(threshold: number): Pair[] {
    const due = [...this.#cells].filter(([, { touched }]) => touched < threshold)
    return due.flatMap(([key, cell]) => {
      const result = this.#f(key, undefined, handleOf(cell, true).state)
      this.#cells.delete(key)
      return result === undefined ? [] : [result]
    })
  }
}

interface Mapping {
  readonly initial?: true
  readonly timeout?: true
  readonly snapshots?: true
}

function mapWithState(settings: Settings, every: number, how: Mapping): Step {
  const { partitions, domain, length } = settings
  const timeout = how.timeout ? length * every : undefined
  let states: MappedState[] | undefined
  return (parts = [], { n }) => {
    const initial = cut(partitions, how.initial ? initialState(domain) : [])
    states ??= initial.map((pairs) => new MappedState(pairs, domain, timeout, n))
    const input = cut(partitions, parts.flat(1))
    const emitted = states.map((state, p) => state.run(input[p] ?? [], n))
    return how.snapshots ? states.map((state) => state.snapshot()) : emitted
  }
}

function mapWithStateOf(how: Mapping): Operators[string] {
  return {
    build(s, { partitions, domain, length }) {
      const stream = s.mapWithState(mapped(domain), {
        partitions,
        ...(how.timeout ? { timeout: ms(s, length) } : {}),
        ...(how.initial ? { initialState: initialState(domain) } : {}),
      })
      return how.snapshots ? stream.stateSnapshots() : stream
    },
    oracle: (settings, every) => mapWithState(settings, every, how),
  }
}

export const stateOperators: Operators = {
  updateStateByKey: {
    build: (s, { domain, partitions }) =>
      s.updateStateByKey((values: Value[], before) => updated(values, before, domain), {
        partitions,
      }),
    oracle: (settings) => updateState(settings, []),
  },
  'updateStateByKey with an initial state': {
    build: (s, { domain, partitions }) =>
      s.updateStateByKey((values: Value[], before) => updated(values, before, domain), {
        partitions,
        initialState: initialState(domain),
      }),
    oracle: (settings) => updateState(settings, initialState(settings.domain)),
  },
  'updateStateByKey of active keys': {
    build: (s, { domain, partitions }) =>
      s.updateStateByKey((values: Value[], before) => updated(values, before, domain), {
        partitions,
        onlyActiveKeys: true,
      }),
    oracle: updateActive,
  },
  mapWithState: mapWithStateOf({}),
  'mapWithState with a timeout': mapWithStateOf({ timeout: true, initial: true }),
  'snapshots of mapWithState': mapWithStateOf({ snapshots: true, initial: true }),
  'snapshots of mapWithState with a timeout': mapWithStateOf({ snapshots: true, timeout: true }),
}
