// The batches that ran and have not ended: one is written while the next one runs, and many wait
// where they share a write of the log.

import type { Settings } from './options.ts'

/** Batches that may be under way at once, not yet committed. */
const OVERLAPPED_MAX = 2

/** The same where batches share writes of the log. */
const SHARING_MAX = 32

/** Batches under way, bounded in number and in bytes. */
export class UnderWay {
  /** How many there may be. */
  readonly max: number
  /** True if batches wait for a write of the log that they share. */
  readonly sharesWrites: boolean
  readonly #bytesMax: number
  /** The ends of the newest ones, the newest last; no more are under way. */
  #ends: readonly Promise<void>[] = []
  #bytes = 0

  /** `commitIntervalMs`: how far apart writes of the log begin; undefined where batches cannot wait
   * for each other. */
  constructor(settings: Settings, commitIntervalMs: number | undefined) {
    const sharing = Math.ceil((commitIntervalMs ?? 0) / settings.batchIntervalMs) + 1
    this.max = Math.min(SHARING_MAX, Math.max(OVERLAPPED_MAX, sharing))
    this.sharesWrites = sharing > OVERLAPPED_MAX
    this.#bytesMax = settings.batchBytesMax
    this.forget()
  }

  /** Resolves once one more batch may run. */
  async room(): Promise<void> {
    await this.#ends[0]
  }

  /** True if they hold no more bytes of sources than one batch may take. */
  get hasRoomForBytes(): boolean {
    return this.#bytes <= this.#bytesMax
  }

  /** The end of the newest batch. */
  async ended(): Promise<void> {
    await this.#ends.at(-1)
  }

  /** Settles when all have ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#ends)
  }

  /** Adds a batch, which ends by `finish` after the one before; gives its end. */
  add(bytes: number, finish: () => Promise<void>): Promise<void> {
    this.#bytes += bytes
    const end = this.ended()
      .then(finish)
      .finally(() => {
        this.#bytes -= bytes
      })
    this.#ends = [...this.#ends.slice(1), end]
    return end
  }

  /** Forgets a batch that failed, with those before it. */
  forget(): void {
    this.#ends = Array.from({ length: this.max }, () => Promise.resolve())
  }
}
