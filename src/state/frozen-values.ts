import type { StoredValue } from '../batch/sealed.ts'
import { grow } from './grow.ts'
import type { StoredList } from './stored-list.ts'
import { ValueColumn } from './value-column.ts'

/** Values and marks of frozen ids that were changed since, as they were. Ids are given from the
 * lowest on; what was given is kept no more. */
export class FrozenValues {
  /** Ids below it were given. */
  next = 0
  readonly end: number
  /** Where each id stands among those kept, from 1; 0: it is not kept. */
  readonly #placeOf: Int32Array
  readonly #values = new ValueColumn()
  #marks: Float64Array
  #kept = 0

  constructor(end: number, marked: boolean) {
    this.end = end
    this.#placeOf = new Int32Array(end)
    this.#marks = new Float64Array(marked ? 16 : 0)
  }

  /** Keeps what an id has, before it is changed the first time. */
  keep(id: number, value: StoredValue, mark: number): void {
    if (id < this.next || id >= this.end || this.#placeOf[id] !== 0) return
    const place = this.#kept++
    this.#placeOf[id] = place + 1
    this.#values.set(place, value)
    if (this.#marks.length === 0) return
    if (place === this.#marks.length) this.#marks = grow(this.#marks, place + 1)
    this.#marks[place] = mark
  }

  /** The present values of some ids, with those that were changed as they were. */
  valuesOf(ids: Int32Array, present: ValueColumn): StoredList {
    const list = present.pick(ids) as StoredValue[] | Float64Array
    for (let i = 0; i < ids.length; i++) {
      const place = this.#placeOf[ids[i] as number] as number
      if (place > 0) list[i] = this.#values.get(place - 1)
    }
    return list
  }

  /** The mark of an id. */
  markOf(id: number, present: number): number {
    const place = this.#placeOf[id] as number
    return place === 0 ? present : (this.#marks[place - 1] ?? 0)
  }
}
