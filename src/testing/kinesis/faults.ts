// What is to go wrong with which call: rules with a rate, drawn from one seed.

import { ConfigError } from '../../errors.ts'
import { placeOfCall } from './call-place.ts'
import { seededRandom } from './seeded-random.ts'

/** What is to happen to a call of the simulated service.
 *
 * - `none`: it is answered as the service answers.
 * - `error`: an answer with status 500 or 503, nothing executed.
 * - `throttle`: refused as if the throughput or rate were used up; of a `PutRecords` some records
 *   are refused, at least one.
 * - `cut-before`: the connection is cut, nothing executed.
 * - `cut-after`: executed, then the connection is cut: a lost acknowledgement.
 * - `slow`: executed at once, and answered after `delayMs`.
 * - `duplicate`: the records of a put are stored twice, the answer names the first.
 * - `empty`: a `GetRecords` gives no records although there are some, and its iterator stands
 *   where it stood. */
export type FaultKind =
  | 'none'
  | 'error'
  | 'throttle'
  | 'cut-before'
  | 'cut-after'
  | 'slow'
  | 'duplicate'
  | 'empty'

/** What happens to one call. */
export interface Fault {
  /** What happens. */
  readonly kind: FaultKind
  /** Status of an `error`: 500 (InternalFailure) or 503 (ServiceUnavailable). */
  readonly status: number
  /** Milliseconds that a `slow` call takes longer. */
  readonly delayMs: number
}

/** Which calls a fault hits. A rule without conditions hits every call that its kind can hit. */
export interface FaultRule {
  /** What happens to the calls that it hits. */
  readonly kind: FaultKind
  /** The chance that a call of the rule is hit, from 0 to 1.
   * @default 1 */
  readonly rate?: number
  /** Only these operations, for example 'GetRecords'.
   * @default every operation */
  readonly operation?: string | readonly string[]
  /** Only calls for the stream with this name. */
  readonly stream?: string
  /** Only `GetShardIterator` and `GetRecords` of the shard with this id. */
  readonly shard?: string
  /** Only calls from this time on, milliseconds of the clock. */
  readonly fromMs?: number
  /** Only calls before this time, milliseconds of the clock. */
  readonly untilMs?: number
  /** Of the calls that meet the conditions, so many are let through first.
   * @default 0 */
  readonly skip?: number
  /** The rule hits so many calls, then no more.
   * @default Infinity */
  readonly times?: number
  /** Status of an `error`: 500 or 503.
   * @default 500 */
  readonly status?: number
  /** Milliseconds of `slow`.
   * @default 1,000 */
  readonly delayMs?: number
}

/** Nothing happens. */
export const NO_FAULT: Fault = { kind: 'none', status: 500, delayMs: 0 }

const PUTS = ['PutRecord', 'PutRecords']
const CAN_HIT: Partial<Record<FaultKind, readonly string[]>> = {
  duplicate: PUTS,
  empty: ['GetRecords'],
}

/** Decides for each call what happens to it. The first rule that hits counts. The same seed, rules
 * and calls give the same faults. */
export class FaultPlan {
  /** How many calls each kind has hit. */
  readonly counts: Readonly<Record<FaultKind, number>>
  readonly #rules: readonly PlannedRule[]
  readonly #random: () => number
  readonly #counts: Record<FaultKind, number>

  constructor(rules: readonly FaultRule[] = [], seed = 0) {
    this.#rules = rules.map((rule) => new PlannedRule(rule))
    this.#random = seededRandom(seed)
    this.#counts = {
      none: 0,
      error: 0,
      throttle: 0,
      'cut-before': 0,
      'cut-after': 0,
      slow: 0,
      duplicate: 0,
      empty: 0,
    }
    this.counts = this.#counts
  }

  /** Whoever takes the call asks once and carries out `slow`, by holding back the answer; the
   * service carries out the rest, cuts included, by a `ConnectionCut`. */
  decide(operation: string, input: Readonly<Record<string, unknown>>, atMs: number): Fault {
    for (const rule of this.#rules) {
      if (!rule.hits(operation, input, atMs, this.#random)) continue
      this.#counts[rule.fault.kind] += 1
      return rule.fault
    }
    this.#counts.none += 1
    return NO_FAULT
  }
}

class PlannedRule {
  readonly fault: Fault
  readonly #rule: FaultRule
  readonly #operations: ReadonlySet<string> | undefined
  readonly #rate: number
  #skip: number
  #times: number

  constructor(rule: FaultRule) {
    const { rate = 1, status = 500, delayMs = 1_000, skip = 0, times } = rule
    if (!(rate >= 0 && rate <= 1)) {
      throw new ConfigError(`The rate of a fault rule is ${rate}: give a number from 0 to 1`)
    }
    this.fault = { kind: rule.kind, status, delayMs }
    this.#rule = rule
    this.#operations = operationsOf(rule)
    this.#rate = rate
    this.#skip = skip
    this.#times = times ?? Number.POSITIVE_INFINITY
  }

  hits(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    atMs: number,
    random: () => number,
  ): boolean {
    if (this.#times <= 0 || !this.#meets(operation, input, atMs)) return false
    if (this.#skip > 0) {
      this.#skip -= 1
      return false
    }
    if (this.#rate < 1 && random() >= this.#rate) return false
    this.#times -= 1
    return true
  }

  #meets(operation: string, input: Readonly<Record<string, unknown>>, atMs: number): boolean {
    if (this.#operations?.has(operation) === false) return false
    const { stream, shard, fromMs = -Infinity, untilMs = Number.POSITIVE_INFINITY } = this.#rule
    if (atMs < fromMs || atMs >= untilMs) return false
    if (stream === undefined && shard === undefined) return true
    const place = placeOfCall(input)
    if (stream !== undefined && place.stream !== stream) return false
    return shard === undefined || place.shard === shard
  }
}

function operationsOf({ kind, operation }: FaultRule): ReadonlySet<string> | undefined {
  const able = CAN_HIT[kind]
  if (operation === undefined) return able === undefined ? undefined : new Set(able)
  const named = typeof operation === 'string' ? [operation] : operation
  const other = named.find((one) => able?.includes(one) === false)
  if (other !== undefined) {
    throw new ConfigError(`A fault "${kind}" cannot hit ${other}: it is for ${able?.join(', ')}`)
  }
  return new Set(named)
}
