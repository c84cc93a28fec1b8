// One rate limit, on the caller's clock.

/** Holds what one second allows, and fills up evenly. */
export class TokenBucket {
  readonly #perSecond: number
  #level: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#level = perSecond
    this.#atMs = nowMs
  }

  /** Tells whether `amount` is there now; for more than the bucket holds, whether it is full. */
  has(amount: number, nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#level >= Math.min(amount, this.#perSecond)
  }

  /** Tells whether anything is there now. */
  isOpen(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#level > 0
  }

  /** Takes `amount`, also where less is there: then nothing is there until the rest is paid off.
   * What is more than a second allows takes its whole time, whatever was there. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#level = amount > this.#perSecond ? -amount : this.#level - amount
  }

  /** Takes `amount` if it is there. */
  tryTake(amount: number, nowMs: number): boolean {
    if (!this.has(amount, nowMs)) return false
    this.take(amount, nowMs)
    return true
  }

  #fill(nowMs: number): void {
    if (nowMs <= this.#atMs || this.#perSecond === Number.POSITIVE_INFINITY) return
    const more = ((nowMs - this.#atMs) * this.#perSecond) / 1_000
    this.#level = Math.min(this.#perSecond, this.#level + more)
    this.#atMs = nowMs
  }
}
