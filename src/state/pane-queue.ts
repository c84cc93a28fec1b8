/** The panes of a window, oldest first. What an attempt adds and drops is taken back unless it is
 * merged. */
export class PaneQueue<P extends { readonly time: number }> {
  readonly #panes: P[] = []
  /** Panes before it were dropped by the attempt. */
  #first = 0
  /** Panes from here on were added by the attempt. */
  #committed = 0

  /** The panes, oldest first. */
  get all(): readonly P[] {
    return this.#panes.slice(this.#first)
  }

  get empty(): boolean {
    return this.#panes.length === this.#first
  }

  /** The newest pane, if the attempt added it. */
  get added(): P | undefined {
    return this.#panes.length > this.#committed ? this.#panes.at(-1) : undefined
  }

  /** Adds the newest pane. */
  push(pane: P): void {
    this.#panes.push(pane)
  }

  /** Puts a pane in the place of the newest. */
  replaceNewest(pane: P): void {
    this.#panes[this.#panes.length - 1] = pane
  }

  /** Drops the panes up to `time`, and gives them. */
  takeUpTo(time: number): readonly P[] {
    const from = this.#first
    while ((this.#panes[this.#first]?.time ?? Number.POSITIVE_INFINITY) <= time) this.#first += 1
    return this.#panes.slice(from, this.#first)
  }

  rollback(): void {
    this.#panes.length = this.#committed
    this.#first = 0
  }

  merge(): void {
    // One by one: V8 moves the beginning of a long array, where splice moves all of its end.
    for (; this.#first > 0; this.#first--) this.#panes.shift()
    this.#committed = this.#panes.length
  }
}
