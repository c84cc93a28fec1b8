// A service of one operation, for tests of the wire alone: it remembers what it was called with.

import type { Clock } from '../../../src/clock.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'

interface TestFault {
  readonly kind: string
  readonly delayMs: number
}

/** Answers every call with `answer`, and goes wrong as `fault` says. */
export class CountingService {
  readonly clock: Clock
  readonly calls: { readonly operation: string; readonly input: unknown }[] = []
  answer: unknown = {}
  error: Error | undefined
  fault: TestFault = { kind: 'none', delayMs: 0 }
  readonly faults = { decide: (): TestFault => this.fault }

  constructor(clock: Clock = new ManualClock()) {
    this.clock = clock
  }

  nowMs(): number {
    return this.clock.wallMs()
  }

  call(operation: string, input: unknown, fault: TestFault): unknown {
    if (fault.kind === 'cut-before') throw new Cut()
    this.calls.push({ operation, input })
    if (fault.kind === 'cut-after') throw new Cut()
    if (this.error !== undefined) throw this.error
    return this.answer
  }
}

class Cut extends Error {
  override readonly name = 'ConnectionCut'
}

/** A refusal as the service throws it. */
export function refusal(code: string, message: string, status = 400): Error {
  return Object.assign(new Error(message), { name: 'ServiceFault', code, status })
}
