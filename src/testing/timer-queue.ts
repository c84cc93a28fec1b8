// Timers in order of their times; those of the same time in the order in which they were set.

interface Timer {
  readonly at: number
  readonly order: number
  /** Undefined once it was taken or cancelled. */
  fire: (() => void) | undefined
}

/** A heap: a timer costs the logarithm of how many there are. One that is cancelled stays in it
 * until its time, or until most are. */
export class TimerQueue {
  #heap: Timer[] = []
  #cancelled = 0
  #order = 0

  /** Sets a timer; gives what cancels it. */
  add(at: number, fire: () => void): () => void {
    this.#order += 1
    const timer: Timer = { at, order: this.#order, fire }
    this.#heap.push(timer)
    this.#rise(this.#heap.length - 1)
    return () => this.#cancel(timer)
  }

  /** The time of the next timer; undefined if there is none. */
  get nextAt(): number | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) {
      this.#removeFirst()
      this.#cancelled -= 1
    }
    return this.#heap[0]?.at
  }

  /** Takes the next timer out, if its time is not after `until`. */
  take(until: number): { readonly at: number; readonly fire: () => void } | undefined {
    const at = this.nextAt
    if (at === undefined || at > until) return undefined
    const timer = this.#removeFirst() as Timer
    const fire = timer.fire as () => void
    timer.fire = undefined
    return { at, fire }
  }

  #cancel(timer: Timer): void {
    if (timer.fire === undefined) return
    timer.fire = undefined
    this.#cancelled += 1
    if (this.#cancelled < 64 || this.#cancelled < this.#heap.length / 2) return
    // Sorted, what is left is a heap.
    this.#heap = this.#heap.filter(({ fire }) => fire !== undefined).sort(compare)
    this.#cancelled = 0
  }

  #removeFirst(): Timer | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return first
  }

  #rise(from: number): void {
    const heap = this.#heap
    const timer = heap[from] as Timer
    let index = from
    while (index > 0) {
      const above = (index - 1) >>> 1
      const parent = heap[above] as Timer
      if (compare(parent, timer) < 0) break
      heap[index] = parent
      index = above
    }
    heap[index] = timer
  }

  #sink(from: number): void {
    const heap = this.#heap
    const timer = heap[from] as Timer
    let index = from
    for (;;) {
      let below = 2 * index + 1
      const [left, right] = [heap[below], heap[below + 1]]
      if (left !== undefined && right !== undefined && compare(right, left) < 0) below += 1
      const child = heap[below]
      if (child === undefined || compare(timer, child) < 0) break
      heap[index] = child
      index = below
    }
    heap[index] = timer
  }
}

function compare(a: Timer, b: Timer): number {
  return a.at - b.at || a.order - b.order
}
