// The lease of an owner: whoever holds a checkpoint gives signs of life from the thread that can
// tell best whether it lives. With an I/O thread that is where the receivers are; without one, the
// driver itself.

import type { Clock } from '../clock.ts'
import type { Logger } from '../events.ts'
import { Heartbeat } from './heartbeat.ts'
import { Pulse } from './pulse.ts'
import type { CheckpointStore, StoreRecipe } from './store.ts'

/** How a thread gives signs of life in place of the driver. */
export interface BeatRequest {
  readonly recipe: StoreRecipe
  readonly epoch: number
  /** What the driver shows. */
  readonly memory: SharedArrayBuffer
}

/** What a lease is made of. */
export interface LeaseOptions {
  readonly store: CheckpointStore
  readonly epoch: number
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps the checkpoint of a run from those who wait for it. */
export class Lease {
  readonly #options: LeaseOptions
  readonly #pulse: Pulse
  #heartbeat: Heartbeat | undefined

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#pulse = new Pulse(options.clock)
    this.#heartbeat = new Heartbeat({ ...options, written: () => this.#pulse.flushes })
  }

  /** What another thread needs to give the signs; undefined where it cannot open the store. */
  get elsewhere(): BeatRequest | undefined {
    const { store, epoch } = this.#options
    const { recipe } = store
    return recipe === undefined ? undefined : { recipe, epoch, memory: this.#pulse.memory }
  }

  /** Another thread gives the signs from now on. */
  async handOver(): Promise<void> {
    await this.#heartbeat?.stop()
    this.#heartbeat = undefined
  }

  /** Counts a write of the log, which is a sign too. */
  flushed(): void {
    this.#pulse.flushed()
  }

  async stop(): Promise<void> {
    this.#pulse.stop()
    await this.#heartbeat?.stop()
  }
}

/** Opens a store in another thread, for signs of life only. */
export async function storeOf({ module, name, input }: StoreRecipe): Promise<CheckpointStore> {
  const exports = (await import(module)) as Readonly<Record<string, unknown>>
  const Store = exports[name] as new (input: unknown) => CheckpointStore
  return new Store(input)
}
