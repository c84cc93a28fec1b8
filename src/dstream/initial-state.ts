// The state that a keyed operator begins with: taken when the operator is declared, and read again
// by each attempt at its first batch.

import { tokenOf } from '../batch/key.ts'
import { openValue, type StoredValue, sealValue } from '../batch/sealed.ts'
import { codeOf, messageOf, StreamingError } from '../errors.ts'

type Pair = readonly [unknown, unknown]

/** Pairs that give fresh keys and values each time they are read. */
export class InitialState implements Iterable<Pair> {
  readonly #pairs: readonly (readonly [StoredValue, StoredValue])[]

  /** Takes the pairs as they are now. Throws for keys that cannot be compared, and for values that
   * cannot be stored. */
  constructor(pairs: Iterable<Pair>, operator: string) {
    this.#pairs = Array.from(pairs, (pair) => seal(pair, operator))
  }

  *[Symbol.iterator](): Generator<Pair> {
    for (const [key, value] of this.#pairs) yield [openValue(key), openValue(value)]
  }
}

function seal([key, value]: Pair, operator: string): readonly [StoredValue, StoredValue] {
  try {
    tokenOf(key)
    return [sealValue(key, 'a key'), sealValue(value, 'a state')]
  } catch (cause) {
    throw refusal(operator, cause)
  }
}

function refusal(operator: string, cause: unknown): unknown {
  const code = codeOf(cause)
  if (code !== 'KEY_NOT_COMPARABLE' && code !== 'VALUE_NOT_STORABLE') return cause
  const message = `Cannot use the initial state of ${operator}: ${messageOf(cause)}`
  return new StreamingError(code, message, { cause })
}
