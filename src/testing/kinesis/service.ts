// The simulated service: one call in, one answer out. It knows nothing of HTTP.

import { type Clock, steadyTime } from '../../clock.ts'
import { Account } from './account.ts'
import { CallLog, type LoggedCall } from './call-log.ts'
import type { Change } from './changes.ts'
import { checkInput } from './constraints.ts'
import { type Fault, FaultPlan, type FaultRule, NO_FAULT } from './faults.ts'
import { type KinesisLimits, limitsFrom } from './kinesis-limits.ts'
import type { CallContext, CallNotes, Input, Output } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { preempt } from './preempted-call.ts'
import { seededRandom } from './seeded-random.ts'
import { ConnectionCut, ServiceFault } from './service-fault.ts'
import type { StoredRecord } from './shard.ts'
import { type ShardTraffic, TrafficBook } from './traffic-book.ts'

/** What the service is made of. */
export interface KinesisServiceOptions {
  /** Where its time comes from: retention, expiry, rates, delays. */
  readonly clock: Clock
  /** Of the faults. @default 0 */
  readonly seed?: number | undefined
  /** What goes wrong. @default nothing */
  readonly faults?: readonly FaultRule[] | undefined
  /** Limits that differ from the documented ones; 'off' for no throttling and no quota. */
  readonly limits?: Partial<KinesisLimits> | 'off' | undefined
  /** Milliseconds that a stream is CREATING, UPDATING or DELETING. @default 0 */
  readonly streamDelayMs?: number | undefined
  /** @default 'us-east-1' */
  readonly region?: string | undefined
  /** @default '000000000000' */
  readonly accountId?: string | undefined
  /** Calls that the log keeps. @default 10,000 */
  readonly callsMax?: number | undefined
  /** Keeps each change before it is made. */
  readonly keep?: ((change: Change) => void) | undefined
}

/** The service of one account in one region.
 *
 * Whoever takes a call in (the HTTP server, the request handler) asks `faults.decide()` once and
 * passes the fault on to `call()`, which carries it out; `slow` alone is left: the answer waits. */
export class KinesisService {
  readonly clock: Clock
  readonly faults: FaultPlan
  readonly account: Account
  readonly #options: KinesisServiceOptions
  readonly #limits: KinesisLimits
  readonly #traffic: TrafficBook
  readonly #log: CallLog
  readonly #nowMs: () => number
  readonly #random: () => number

  constructor(options: KinesisServiceOptions) {
    const { clock, seed = 0, region = 'us-east-1', accountId = '000000000000' } = options
    this.clock = clock
    this.faults = new FaultPlan(options.faults, seed)
    this.account = new Account({ region, accountId })
    this.#options = options
    this.#limits = limitsFrom(options.limits)
    this.#traffic = new TrafficBook(this.#limits)
    this.#log = new CallLog(options.callsMax ?? 10_000)
    this.#nowMs = steadyTime(clock)
    this.#random = seededRandom(seed + 1)
  }

  /** The newest calls, oldest first. */
  get calls(): LoggedCall[] {
    return this.#log.newest()
  }

  /** Calls since the service was made. */
  get callCount(): number {
    return this.#log.total
  }

  /** What has passed through each shard. */
  get shards(): ShardTraffic[] {
    return this.#traffic.shards()
  }

  /** The service's time, epoch milliseconds. */
  nowMs(): number {
    return Math.floor(this.#nowMs())
  }

  /** Carries out one call. `input` has the members of AWS's request (`Data` is a Uint8Array, a
   * timestamp a Date); the answer has those of AWS's response. Throws a `ServiceFault`, or a
   * `ConnectionCut` if nobody may get an answer. */
  call(operation: string, input: Input, fault: Fault = NO_FAULT): Output {
    const nowMs = this.nowMs()
    const delayMs = fault.kind === 'slow' ? fault.delayMs : 0
    const notes: CallNotes = { stream: undefined, shard: undefined, records: 0, bytes: 0 }
    let outcome = 'ok'
    try {
      const output = this.#answer(operation, input, fault, nowMs, notes)
      if (fault.kind === 'cut-after') throw new ConnectionCut(true)
      return output
    } catch (thrown) {
      outcome = outcomeOf(thrown)
      throw thrown
    } finally {
      this.#log.add({ operation, ...notes, atMs: nowMs, outcome, fault: fault.kind, delayMs })
    }
  }

  #answer(operation: string, input: Input, fault: Fault, nowMs: number, notes: CallNotes): Output {
    const found = OPERATIONS.get(operation)
    if (found === undefined) {
      const message = `The operation ${operation} is not known to the simulated service.`
      throw new ServiceFault('UnknownOperationException', message)
    }
    checkInput(input, found.members)
    const context = this.#contextOf(operation, fault, nowMs, notes)
    preempt(input, context)
    return found.run(input, context)
  }

  #contextOf(operation: string, fault: Fault, nowMs: number, notes: CallNotes): CallContext {
    return {
      operation,
      nowMs,
      account: this.account,
      limits: this.#limits,
      traffic: this.#traffic,
      streamDelayMs: this.#options.streamDelayMs ?? 0,
      fault,
      random: this.#random,
      notes,
      commit: this.#commit,
      put: this.#put,
    }
  }

  readonly #commit = (change: Change): void => {
    this.#options.keep?.(change)
    this.account.apply(change)
  }

  readonly #put: CallContext['put'] = (change): StoredRecord[] => {
    this.#options.keep?.(change)
    return this.account.put(change)
  }
}

function outcomeOf(thrown: unknown): string {
  if (thrown instanceof ServiceFault) return thrown.code
  return thrown instanceof ConnectionCut ? 'cut' : 'InternalFailure'
}
