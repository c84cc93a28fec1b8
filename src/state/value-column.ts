import type { StoredValue } from '../batch/sealed.ts'
import { grow } from './grow.ts'
import type { StoredList } from './stored-list.ts'

const CAPACITY = 16

/** Stored values by id: 64-bit floats while all of them are numbers, anything stored afterwards. */
export class ValueColumn {
  /** Undefined once some value was not a number. */
  #numbers: Float64Array | undefined = new Float64Array(CAPACITY)
  #others: StoredValue[] = []

  /** True while only numbers were set. */
  get numeric(): boolean {
    return this.#numbers !== undefined
  }

  get(id: number): StoredValue {
    const numbers = this.#numbers
    return numbers === undefined ? this.#others[id] : numbers[id]
  }

  set(id: number, value: StoredValue): void {
    const numbers = this.#numbers
    if (numbers !== undefined && typeof value === 'number' && id < numbers.length) {
      numbers[id] = value
    } else this.#setSlowly(id, value)
  }

  /** Sets the values from `first` on, where none are. */
  load(first: number, list: StoredList): void {
    const end = first + list.length
    if (this.#numbers !== undefined && list instanceof Float64Array) {
      if (end > this.#numbers.length) this.#numbers = grow(this.#numbers, end)
      this.#numbers.set(list, first)
    } else for (let i = 0; i < list.length; i++) this.set(first + i, list[i])
  }

  /** Lets go of what a key that is gone had. */
  clear(id: number): void {
    if (this.#numbers === undefined) this.#others[id] = undefined
  }

  /** Lets go of the values from `end` on. */
  truncate(end: number): void {
    if (this.#others.length > end) this.#others.length = end
  }

  /** Makes floats of the values up to `end` again, if all of them are numbers. */
  toNumbers(end: number): void {
    if (this.#numbers !== undefined) return
    const numbers = new Float64Array(Math.max(end, CAPACITY))
    for (let id = 0; id < end; id++) {
      const value = this.#others[id]
      if (typeof value === 'number') numbers[id] = value
      else if (value !== undefined) return
    }
    this.#numbers = numbers
    this.#others = []
  }

  /** Moves each value to its new id; -1: it goes. */
  compact(moved: Int32Array, size: number): void {
    const compact = new ValueColumn()
    compact.#numbers = this.#numbers && new Float64Array(Math.max(size, CAPACITY))
    for (let id = 0; id < moved.length; id++) {
      const to = moved[id] as number
      if (to >= 0) compact.set(to, this.get(id))
    }
    this.#numbers = compact.#numbers
    this.#others = compact.#others
  }

  /** The values of some ids, in their order. */
  pick(ids: Int32Array): StoredList {
    const numbers = this.#numbers
    const picked = numbers === undefined ? new Array(ids.length) : new Float64Array(ids.length)
    const from = numbers ?? this.#others
    for (let i = 0; i < ids.length; i++) picked[i] = from[ids[i] as number]
    return picked
  }

  #setSlowly(id: number, value: StoredValue): void {
    const numbers = this.#numbers
    if (numbers === undefined) {
      this.#others[id] = value
    } else if (typeof value === 'number') {
      const longer = grow(numbers, id + 1)
      longer[id] = value
      this.#numbers = longer
    } else {
      this.#others = Array.from(numbers)
      this.#numbers = undefined
      this.#others[id] = value
    }
  }
}
