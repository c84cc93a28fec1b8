// The slots that the log still needs, as its owner declares them at the head of each new one.

import type { ChainLink, Claim, LogRecord, Opening } from './format.ts'

/** The live slots before the newest one, and what is said of them. */
export class SlotChain {
  readonly #claim: Claim
  readonly #opening: Opening
  #links: readonly ChainLink[]

  constructor(claim: Claim, opening: Opening) {
    this.#claim = claim
    this.#opening = opening
    this.#links = opening.chain
  }

  /** The oldest slot, or `newest` if there is none before it. */
  firstOr(newest: number): number {
    return this.#links[0]?.slot ?? newest
  }

  /** The head of the slot after these. */
  head(): LogRecord {
    return { kind: 'segment', ...this.#claim, ...this.#opening, chain: this.#links }
  }

  /** Adds a slot that is whole. */
  add(link: ChainLink): void {
    this.#links = [...this.#links, link]
  }

  /** Leaves out the slots below `slot`. */
  forgetBefore(slot: number): void {
    this.#links = this.#links.filter((link) => link.slot >= slot)
  }
}
