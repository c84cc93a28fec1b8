// A service of no operation, for tests of the wire alone: it remembers what it was called with.

import type { Clock } from '../../../src/clock.ts'
import { type Fault, NO_FAULT } from '../../../src/testing/kinesis/faults.ts'
import type { Input, Output } from '../../../src/testing/kinesis/operation.ts'
import { ConnectionCut } from '../../../src/testing/kinesis/service-fault.ts'
import type { WiredService } from '../../../src/testing/kinesis/wire.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

/** Answers every call with `answer`, and goes wrong as `fault` says. */
export class CountingService implements WiredService {
  readonly clock: Clock
  readonly calls: { readonly operation: string; readonly input: Input }[] = []
  answer: Output = {}
  error: Error | undefined
  fault: Fault = NO_FAULT
  readonly faults = { decide: (): Fault => this.fault }

  constructor(clock: Clock = new ManualClock()) {
    this.clock = clock
  }

  nowMs(): number {
    return this.clock.wallMs()
  }

  call(operation: string, input: Input, fault: Fault): Output {
    if (fault.kind === 'cut-before') throw new ConnectionCut(false)
    this.calls.push({ operation, input })
    if (fault.kind === 'cut-after') throw new ConnectionCut(true)
    if (this.error !== undefined) throw this.error
    return this.answer
  }
}
