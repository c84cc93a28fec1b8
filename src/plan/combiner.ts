// The partial result of a shuffle: one entry a key, in first-seen order.

import { type Token, tokenOf } from '../batch/key.ts'

/** Keys in first-seen order, each with a dense id and its combiner. */
export class KeyTable {
  readonly ids = new Map<Token, number>()
  readonly keys: unknown[] = []
  readonly values: unknown[] = []

  /** The id of a key; a new key gets the next one, with `undefined` as its value. */
  idOf(key: unknown): number {
    const token = tokenOf(key)
    const known = this.ids.get(token)
    if (known !== undefined) return known
    const id = this.keys.length
    this.ids.set(token, id)
    this.keys.push(key)
    this.values.push(undefined)
    return id
  }

  /** Tokens in the order of the ids. */
  tokens(): IterableIterator<Token> {
    return this.ids.keys()
  }
}
