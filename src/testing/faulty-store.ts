// A checkpoint store that fails where a test says so.

import type { CheckpointStore } from '../checkpoint/store.ts'

/** What a fault can hit: any operation of a store. */
export type StoreOperation = Exclude<
  keyof CheckpointStore,
  'kind' | 'location' | 'appends' | 'recipe' | 'retries'
>

/** One thing that goes wrong. */
export interface StoreFault {
  /** The operation that fails. */
  readonly operation: StoreOperation
  /** Which call of the operation fails, counted from 1 over the life of the faulty store.
   * @default 1 */
  readonly call?: number
  /** How many calls in a row fail, from `call` on.
   * @default 1 */
  readonly times?: number
  /** What the call rejects with. Engine code expects a StreamingError with code
   * CHECKPOINT_UNWRITABLE. */
  readonly error: Error
  /** How much of the operation takes effect before it fails: nothing, all of it (a lost
   * acknowledgement), or, for `append`, the first so many bytes (a torn write).
   * @default 'nothing' */
  readonly effect?: 'nothing' | 'all' | number
}

/** Passes each call on to `inner`, except that the calls named in `faults` fail.
 *
 * @example
 * ```ts
 * const full = new StreamingError('CHECKPOINT_UNWRITABLE', 'the disk is full')
 * const store = new FaultyStore(new MemoryStore(), [{ operation: 'append', call: 2, error: full }])
 * await store.createIfAbsent('a', Buffer.from('1'))
 * await store.append('a', Buffer.from('2'))
 * await assert.rejects(store.append('a', Buffer.from('3')), full)
 * assert.equal(String(await store.read('a')), '12')
 * ```
 */
export class FaultyStore implements CheckpointStore {
  readonly kind: string
  readonly location: string
  readonly appends: boolean
  readonly #inner: CheckpointStore
  readonly #faults: readonly StoreFault[]
  readonly #calls = new Map<StoreOperation, number>()

  constructor(inner: CheckpointStore, faults: readonly StoreFault[]) {
    this.kind = inner.kind
    this.location = inner.location
    this.appends = inner.appends
    this.#inner = inner
    this.#faults = faults
  }

  /** How often an operation was called, failed calls included.
   *
   * @example
   * ```ts
   * const store = new FaultyStore(new MemoryStore(), [])
   * await store.exists('a')
   * assert.deepEqual([store.callsOf('exists'), store.callsOf('read')], [1, 0])
   * ```
   */
  callsOf(operation: StoreOperation): number {
    return this.#calls.get(operation) ?? 0
  }

  open(): Promise<void> {
    return this.#call('open', () => this.#inner.open())
  }

  createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#call('createIfAbsent', () => this.#inner.createIfAbsent(name, bytes))
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#call('put', () => this.#inner.put(name, bytes))
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#call('append', (length) => {
      return this.#inner.append(name, bytes.subarray(0, length ?? bytes.length))
    })
  }

  sync(name: string): Promise<void> {
    return this.#call('sync', () => this.#inner.sync(name))
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#call('read', () => this.#inner.read(name))
  }

  exists(name: string): Promise<boolean> {
    return this.#call('exists', () => this.#inner.exists(name))
  }

  list(prefix: string): Promise<string[]> {
    return this.#call('list', () => this.#inner.list(prefix))
  }

  delete(name: string): Promise<void> {
    return this.#call('delete', () => this.#inner.delete(name))
  }

  close(): Promise<void> {
    return this.#call('close', () => this.#inner.close())
  }

  async #call<T>(operation: StoreOperation, pass: (length?: number) => Promise<T>): Promise<T> {
    const call = this.callsOf(operation) + 1
    this.#calls.set(operation, call)
    const fault = this.#faults.find((one) => one.operation === operation && isHit(one, call))
    if (fault === undefined) return await pass()
    if (fault.effect === 'all') await pass()
    else if (typeof fault.effect === 'number') await pass(fault.effect)
    throw fault.error
  }
}

function isHit({ call: first = 1, times = 1 }: StoreFault, call: number): boolean {
  return call >= first && call < first + times
}
