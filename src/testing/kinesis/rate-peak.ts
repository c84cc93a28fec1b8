// The most that came within any one second.

const SECOND_MS = 1_000

/** Counts what comes, over a window of one second. It remembers one number for each time in it. */
export class RatePeak {
  #times: number[] = []
  #amounts: number[] = []
  #first = 0
  #sum = 0
  #peak = 0

  /** Counts `amount` and gives the peak so far. */
  add(amount: number, nowMs: number): number {
    this.#forget(nowMs - SECOND_MS)
    const last = this.#times.length - 1
    if (last >= this.#first && this.#times[last] === nowMs) {
      this.#amounts[last] = (this.#amounts[last] ?? 0) + amount
    } else {
      this.#times.push(nowMs)
      this.#amounts.push(amount)
    }
    this.#sum += amount
    this.#peak = Math.max(this.#peak, this.#sum)
    return this.#peak
  }

  #forget(untilMs: number): void {
    while (this.#first < this.#times.length && (this.#times[this.#first] as number) <= untilMs) {
      this.#sum -= this.#amounts[this.#first] as number
      this.#first += 1
    }
    if (this.#first === 0 || this.#first < this.#times.length / 2) return
    this.#times = this.#times.slice(this.#first)
    this.#amounts = this.#amounts.slice(this.#first)
    this.#first = 0
  }
}
