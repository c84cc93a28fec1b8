// Whether a run takes part in the service's work, and whether it gets on: for probes.

import type { Engine } from './engine.ts'
import type { Scheduler } from './scheduler.ts'

/** What health is told from. */
export interface HealthParts {
  readonly engine: Engine
  readonly scheduler: Scheduler
  /** A batch that is overdue for longer means that the run does not get on. */
  readonly stuckAfterMs: number
}

/** Answers the probes of one run. */
export class Health {
  readonly #parts: HealthParts
  readonly #openedAt: number
  #ended: 'as asked' | 'by an error' | undefined

  constructor(parts: HealthParts) {
    this.#parts = parts
    this.#openedAt = parts.engine.now()
  }

  /** The run has ended. */
  ended(error: unknown): void {
    this.#ended = error === undefined ? 'as asked' : 'by an error'
  }

  get ready(): boolean {
    return this.#ended === undefined && !this.#parts.scheduler.ending
  }

  get healthy(): boolean {
    if (this.#ended !== undefined) return this.#ended === 'as asked'
    return this.#overdueMs() <= this.#parts.stuckAfterMs
  }

  /** How long the batch that is to complete next could have been complete. */
  #overdueMs(): number {
    const { engine } = this.#parts
    const due = engine.timeOf(engine.lastBatchId + 1)
    return engine.now() - Math.max(due, engine.lastEndedAt, this.#openedAt)
  }
}
