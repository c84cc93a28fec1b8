// An owner's signs of life, for whoever waits to take its checkpoint over. They prove nothing: a
// wrong guess fences a process needlessly and harms no record (takeover.ts).
//
// Only a change counts, and whoever waits measures how long it saw none on its own monotonic
// clock: no two clocks are compared. What the log gains is a sign too, so an owner that writes it
// often needs no other.

import type { Cancel, Clock } from '../clock.ts'
import type { Logger } from '../events.ts'
import { heartbeatName } from './format.ts'
import type { CheckpointStore } from './store.ts'

/** How long a start waits for a sign of life, in milliseconds. */
export const LEASE_MS = 10_000

/** From the begin of a sign to that of the next one: some may be lost or late within a lease. */
const BEAT_MS = LEASE_MS / 4

/** What a heartbeat is made of. */
export interface HeartbeatOptions {
  readonly store: Pick<CheckpointStore, 'put' | 'location'>
  readonly epoch: number
  readonly clock: Clock
  readonly logger: Logger
  /** What the log has gained so far: any number that grows when it is written. */
  readonly written: () => number
  /** False: the owner is stuck, and may lose its checkpoint. @default it never is */
  readonly isAlive?: () => boolean
}

/** Gives signs of life until it is stopped. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #beats = 0
  #written: number
  #cancel: Cancel = () => undefined
  #beating: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#written = options.written()
    this.#schedule(BEAT_MS)
  }

  /** Gives no more signs; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#beating
  }

  #schedule(delayMs: number): void {
    const { clock } = this.#options
    this.#cancel = clock.after(delayMs, () => {
      const beganMs = clock.monotonicMs()
      this.#beating = this.#beat().finally(() => {
        if (!this.#stopped) this.#schedule(Math.max(0, beganMs + BEAT_MS - clock.monotonicMs()))
      })
    })
  }

  async #beat(): Promise<void> {
    const { store, epoch, logger, written, isAlive } = this.#options
    const before = this.#written
    this.#written = written()
    if (this.#written !== before || isAlive?.() === false) return
    this.#beats += 1
    try {
      await store.put(heartbeatName(epoch), Buffer.from(String(this.#beats)))
    } catch (error) {
      const message = 'Cannot give a sign of life: another process may take the checkpoint over'
      logger.warn({ err: error, checkpoint: store.location }, message)
    }
  }
}
