import { messageOf, StreamingError } from '../errors.ts'

/** A value that is loaded at each start, before the first batch, and read by closures.
 *
 * @example
 * ```ts
 * const outputs = await runBatches(
 *   { inputs: [[['de', 'fr']]], batches: 1 },
 *   (ssc, codes: DStream<string>) => {
 *     const names = ssc.broadcast(async () => new Map([['de', 'Germany'], ['fr', 'France']]))
 *     return codes.map((code) => names.value.get(code))
 *   },
 * )
 * assert.deepEqual(outputs, [['Germany', 'France']])
 * ``` */
export class Broadcast<T> {
  readonly #load: () => T | Promise<T>
  #loaded: { readonly value: T } | undefined

  constructor(load: () => T | Promise<T>) {
    this.#load = load
  }

  /** The value: one object for all who read it, so it must not be changed. Throws
   * BROADCAST_NOT_LOADED before the pipeline has started. */
  get value(): T {
    if (this.#loaded !== undefined) return this.#loaded.value
    throw new StreamingError(
      'BROADCAST_NOT_LOADED',
      'Cannot read a broadcast value: the pipeline has not been started; read .value inside a ' +
        'closure, not while the graph is built',
    )
  }

  /** Loads the value; for the engine. */
  async load(): Promise<void> {
    try {
      this.#loaded = { value: await this.#load() }
    } catch (cause) {
      throw loadError(cause)
    }
  }
}

/** Loads all values at once; rejects with the first failure when all have settled. */
export async function loadAll(broadcasts: readonly Broadcast<unknown>[]): Promise<void> {
  const loads = await Promise.allSettled(broadcasts.map((broadcast) => broadcast.load()))
  const failed = loads.find((load) => load.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function loadError(cause: unknown): StreamingError {
  return new StreamingError(
    'BROADCAST_FAILED',
    `Cannot start: the load function of a broadcast failed: ${messageOf(cause)}; nothing was ` +
      `started, so the start can be tried again`,
    { cause, retryable: true },
  )
}
