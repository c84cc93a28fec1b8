// How the objects of a snapshot are read: several at once, within bounds.

import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import type { SnapshotFile } from '../../src/checkpoint/format.ts'
import { readSnapshot } from '../../src/checkpoint/snapshot-files.ts'
import { settle } from './logs.ts'

const MEBIBYTE = 2 ** 20

/** A store whose reads end when the test says. */
class GatedStore {
  readonly files: readonly SnapshotFile[]
  readonly #objects = new Map<string, Uint8Array>()
  readonly #waiting = new Map<string, PromiseWithResolvers<Uint8Array | undefined>>()
  /** Names, in the order in which they were asked for. */
  readonly asked: string[] = []

  constructor(sizes: readonly number[]) {
    this.files = sizes.map((size, n) => {
      const bytes = Buffer.alloc(size, n + 1)
      const name = `epoch-1/snapshot-1-${n + 1}`
      this.#objects.set(name, bytes)
      return { name, bytes: size, crc: crc32(bytes) }
    })
  }

  get underWay(): number {
    return this.#waiting.size
  }

  read(name: string): Promise<Uint8Array | undefined> {
    this.asked.push(name)
    const waiting = Promise.withResolvers<Uint8Array | undefined>()
    this.#waiting.set(name, waiting)
    return waiting.promise
  }

  /** Ends the newest read; `give` is what it gives. */
  async endNewest(give = (bytes: Uint8Array | undefined) => bytes): Promise<void> {
    const [name = '', waiting] = [...this.#waiting].at(-1) ?? []
    this.#waiting.delete(name)
    waiting?.resolve(give(this.#objects.get(name)))
    await settle()
  }

  async failNewest(error: Error): Promise<void> {
    const [name = '', waiting] = [...this.#waiting].at(-1) ?? []
    this.#waiting.delete(name)
    waiting?.reject(error)
    await settle()
  }
}

test('objects are read eight at a time, and given in their order', async () => {
  const store = new GatedStore(Array.from({ length: 20 }, () => 10))
  const reading = readSnapshot(store, store)
  for (let ended = 0; ended < 20; ended += 1) {
    expect(store.underWay).toBe(Math.min(8, 20 - ended))
    await store.endNewest()
  }
  const { files, damaged } = await reading
  expect(damaged).toBeUndefined()
  expect(files.map((bytes) => bytes[0])).toEqual(store.files.map((_file, n) => n + 1))
})

test('no more than 64 MiB are read at a time, unless one object alone is larger', async () => {
  const store = new GatedStore([20, 20, 20, 20, 70, 1, 1].map((size) => size * MEBIBYTE))
  const reading = readSnapshot(store, store)
  const underWay: number[] = []
  for (let ended = 0; ended < 7; ended += 1) {
    underWay.push(store.underWay)
    await store.endNewest()
  }
  expect(underWay).toEqual([3, 3, 2, 1, 1, 2, 1])
  expect((await reading).files).toHaveLength(7)
})

test('the first damaged object is named, and none is read after it was found', async () => {
  const store = new GatedStore(Array.from({ length: 20 }, () => 10))
  const reading = readSnapshot(store, store)
  await store.endNewest(() => undefined)
  expect(store.asked).toHaveLength(8)
  await store.endNewest((bytes) => bytes?.subarray(1))
  while (store.underWay > 0) await store.endNewest()
  expect((await reading).damaged).toBe(store.files[6]?.name)
})

test('a store that refuses is no damage', async () => {
  const store = new GatedStore([10, 10, 10])
  const reading = readSnapshot(store, store)
  reading.catch(() => undefined)
  await store.failNewest(new Error('no answer'))
  await expect(reading).rejects.toThrow('no answer')
  while (store.underWay > 0) await store.endNewest()
})

test('a start that is told to stop reads no more', async () => {
  const store = new GatedStore(Array.from({ length: 20 }, () => 10))
  const stop = new AbortController()
  const reading = readSnapshot(store, store, stop.signal)
  reading.catch(() => undefined)
  stop.abort(new Error('told to stop'))
  while (store.underWay > 0) await store.endNewest()
  await expect(reading).rejects.toThrow('told to stop')
  expect(store.asked).toHaveLength(8)
})
