// Which keys have not been touched for too long. A key has one entry, in the bucket of a time at
// which it was touched; touching it again costs nothing. A bucket that comes up is read: keys that
// were touched since go into the bucket of that time, the others are due.
//
// Always: each committed live key has exactly one entry, in a bucket no later than its mark. An
// attempt only reads; buckets change when it is merged.

import type { StatePartition } from './state-partition.ts'

/** The keys of one partition by the time at which they were touched: their marks. */
export class TimeoutWheel {
  readonly #buckets = new Map<number, number[]>()
  /** The times of the buckets, ascending. */
  readonly #times: number[] = []
  #valid = true

  /** Has the entries made anew before they are next read: ids or marks changed outside a batch. */
  invalidate(): void {
    this.#valid = false
  }

  /** Makes the entries anew if need be; called before an attempt changes anything. */
  prepare(state: StatePartition): void {
    if (this.#valid) return
    this.#buckets.clear()
    this.#times.length = 0
    for (let id = 0; id < state.keys.committed; id++) {
      if (state.keys.isLive(id)) this.#add(id, state.markAt(id))
    }
    this.#valid = true
  }

  /** Ids of the keys last touched before `threshold`, in first-seen order. */
  due(state: StatePartition, threshold: number): number[] {
    const due: number[] = []
    for (const time of this.#times) {
      if (time >= threshold) break
      for (const id of this.#buckets.get(time) ?? []) {
        if (state.keys.isLive(id) && state.markAt(id) < threshold) due.push(id)
      }
    }
    return due.sort((a, b) => a - b)
  }

  /** Adds the keys of the batch, and empties the buckets before `threshold`; called before the
   * state is merged. */
  advance(state: StatePartition, threshold: number): void {
    if (!this.#valid) return
    const { keys } = state
    for (let id = keys.committed; id < keys.end; id++) {
      if (keys.isLive(id)) this.#add(id, state.markAt(id))
    }
    const later = this.#times.findIndex((time) => time >= threshold)
    for (const time of this.#times.splice(0, later < 0 ? this.#times.length : later)) {
      const ids = this.#buckets.get(time) ?? []
      this.#buckets.delete(time)
      for (const id of ids) if (keys.isLive(id)) this.#add(id, state.markAt(id))
    }
  }

  #add(id: number, time: number): void {
    const bucket = this.#buckets.get(time)
    if (bucket !== undefined) {
      bucket.push(id)
      return
    }
    this.#buckets.set(time, [id])
    let at = this.#times.length
    while (at > 0 && (this.#times[at - 1] as number) > time) at -= 1
    this.#times.splice(at, 0, time)
  }
}
