// A checkpoint store in memory that can lose power: what was appended and not synced is gone then.

import { assert } from '../assert.ts'
import type { CheckpointStore } from '../checkpoint/store.ts'
import { StreamingError } from '../errors.ts'

interface MemoryObject {
  readonly bytes: Buffer
  /** Of `bytes`, how many would survive a power loss. */
  readonly durable: number
}

let storeCount = 0

/** Keeps a checkpoint in memory. Pass the same store to several runs to restart from it.
 *
 * @example
 * ```ts
 * const store = new MemoryStore()
 * await store.createIfAbsent('slots/0000000001.log', Buffer.from('claim'))
 * await store.append('slots/0000000001.log', Buffer.from(' plan'))
 * store.crash()
 * assert.equal(String(await store.read('slots/0000000001.log')), 'claim')
 * ```
 */
export class MemoryStore implements CheckpointStore {
  readonly kind = 'memory'
  readonly location: string
  readonly appends: boolean
  readonly #objects = new Map<string, MemoryObject>()

  /** `name` tells one store from another in messages. With `appends` false its objects cannot grow,
   * as those of an object store. @default true */
  constructor(name?: string, options?: { readonly appends?: boolean }) {
    storeCount += 1
    this.location = `memory:${name ?? storeCount}`
    this.appends = options?.appends ?? true
  }

  /** Loses power: what was appended to an object since its last `sync` is gone.
   *
   * `keepUnsynced` says how many bytes of it each object keeps, as when a disk had written some.
   * @default 0
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * await store.createIfAbsent('a', Buffer.from('1'))
   * await store.append('a', Buffer.from('23'))
   * store.crash({ keepUnsynced: 1 })
   * assert.equal(String(await store.read('a')), '12')
   * ```
   */
  crash(options?: { readonly keepUnsynced?: number }): void {
    for (const [name, { bytes, durable }] of this.#objects) {
      const kept = bytes.subarray(0, durable + (options?.keepUnsynced ?? 0))
      this.#objects.set(name, { bytes: kept, durable: kept.length })
    }
  }

  /** Changes an object behind everybody's back, as a failing disk does; undefined removes it.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * await store.createIfAbsent('a', Buffer.from('12'))
   * store.damage('a', (bytes) => bytes.subarray(0, 1))
   * assert.equal(String(await store.read('a')), '1')
   * ```
   */
  damage(name: string, change: (bytes: Buffer) => Uint8Array | undefined): void {
    const found = this.#objects.get(name)
    assert(found !== undefined, () => `There is no object "${name}" to damage`)
    const changed = change(Buffer.from(found.bytes))
    if (changed === undefined) this.#objects.delete(name)
    else this.#objects.set(name, { bytes: Buffer.from(changed), durable: changed.length })
  }

  open(): Promise<void> {
    return Promise.resolve()
  }

  createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    if (this.#objects.has(name)) return Promise.resolve(false)
    this.#objects.set(name, { bytes: Buffer.from(bytes), durable: bytes.length })
    return Promise.resolve(true)
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(name, { bytes: Buffer.from(bytes), durable: bytes.length })
    return Promise.resolve()
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    assert(this.appends, () => `Object "${name}" of a store without appends cannot grow`)
    const found = this.#objects.get(name)
    if (found === undefined) return Promise.reject(missing(this.location, name))
    this.#objects.set(name, { ...found, bytes: Buffer.concat([found.bytes, bytes]) })
    return Promise.resolve()
  }

  sync(name: string): Promise<void> {
    const found = this.#objects.get(name)
    if (found === undefined) return Promise.reject(missing(this.location, name))
    this.#objects.set(name, { ...found, durable: found.bytes.length })
    return Promise.resolve()
  }

  read(name: string): Promise<Uint8Array | undefined> {
    const found = this.#objects.get(name)
    return Promise.resolve(found === undefined ? undefined : Buffer.from(found.bytes))
  }

  exists(name: string): Promise<boolean> {
    return Promise.resolve(this.#objects.has(name))
  }

  list(prefix: string): Promise<string[]> {
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix))
    return Promise.resolve(names.sort((a, b) => (a < b ? -1 : Number(a > b))))
  }

  delete(name: string): Promise<void> {
    this.#objects.delete(name)
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function missing(location: string, name: string): StreamingError {
  return new StreamingError(
    'CHECKPOINT_UNWRITABLE',
    `Cannot append to "${name}" in "${location}": the object must exist; create it first`,
  )
}
