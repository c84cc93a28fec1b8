// What every checkpoint store owes, as tests that run against each of them.

import { afterEach, describe, expect, test } from 'vitest'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'

const bytesOf = (text: string): Uint8Array => Buffer.from(text)
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString()

/** Runs the contract. `make` gives two stores over one new, empty place, as of two processes;
 * `appends` says whether their objects can grow. */
export function testStoreContract(
  name: string,
  make: () => { readonly store: CheckpointStore; readonly other: CheckpointStore },
  appends = true,
): void {
  describe(`${name}: the store contract`, () => {
    const opened: CheckpointStore[] = []

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    const testAppends = appends ? test : () => undefined

    async function open(): Promise<ReturnType<typeof make>> {
      const made = make()
      for (const store of [made.store, made.other]) {
        opened.push(store)
        await store.open()
      }
      return made
    }

    test('createIfAbsent makes the object once, and leaves it as it is afterwards', async () => {
      const { store, other } = await open()
      expect(await store.createIfAbsent('slots/1.log', bytesOf('one'))).toBe(true)
      expect(await store.createIfAbsent('slots/1.log', bytesOf('two'))).toBe(false)
      expect(await other.createIfAbsent('slots/1.log', bytesOf('two'))).toBe(false)
      expect(textOf(await other.read('slots/1.log'))).toBe('one')
    })

    test('createIfAbsent has one winner when many race for a name', async () => {
      const { store, other } = await open()
      const racers = Array.from({ length: 16 }, (_, index) => {
        return (index % 2 === 0 ? store : other).createIfAbsent('a/b', bytesOf(`racer ${index}`))
      })
      const won = await Promise.all(racers)
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(textOf(await store.read('a/b'))).toBe(`racer ${won.indexOf(true)}`)
    })

    test('createIfAbsent makes an object of no bytes', async () => {
      const { store } = await open()
      expect(await store.createIfAbsent('empty', new Uint8Array())).toBe(true)
      expect(await store.read('empty')).toHaveLength(0)
      expect(await store.exists('empty')).toBe(true)
    })

    testAppends('append adds at the end, and read gives it before it is durable', async () => {
      const { store, other } = await open()
      await store.createIfAbsent('a', bytesOf('1'))
      await store.append('a', bytesOf('2'))
      await store.append('a', bytesOf('3'))
      expect(textOf(await other.read('a'))).toBe('123')
      await store.sync('a')
      expect(textOf(await store.read('a'))).toBe('123')
    })

    testAppends('append turns from one object to another and back', async () => {
      const { store } = await open()
      for (const name of ['a', 'b']) await store.createIfAbsent(name, bytesOf(name))
      for (const name of ['a', 'b', 'a']) await store.append(name, bytesOf('+'))
      expect(textOf(await store.read('a'))).toBe('a++')
      expect(textOf(await store.read('b'))).toBe('b+')
    })

    testAppends('append keeps the order of calls that overlap', async () => {
      const { store } = await open()
      await store.createIfAbsent('a', new Uint8Array())
      const digits = [...'0123456789']
      await Promise.all(digits.map((digit) => store.append('a', bytesOf(digit))))
      expect(textOf(await store.read('a'))).toBe('0123456789')
    })

    testAppends('append refuses an object that was never created', async () => {
      const { store } = await open()
      await expect(store.append('a', bytesOf('1'))).rejects.toMatchObject({
        code: 'CHECKPOINT_UNWRITABLE',
      })
      expect(await store.exists('a')).toBe(false)
    })

    testAppends('sync takes what another process appended', async () => {
      const { store, other } = await open()
      await store.createIfAbsent('a', bytesOf('1'))
      await store.append('a', bytesOf('2'))
      await other.sync('a')
      expect(textOf(await other.read('a'))).toBe('12')
    })

    test('put makes and replaces an object, also in a store that is not open', async () => {
      const { store, other } = make()
      opened.push(store, other)
      await store.put('epoch-1/heartbeat', bytesOf('1'))
      await other.put('epoch-1/heartbeat', bytesOf('22'))
      await store.open()
      expect(textOf(await store.read('epoch-1/heartbeat'))).toBe('22')
    })

    test('list gives the names with a prefix, in order of their UTF-16 units', async () => {
      const { store } = await open()
      const names = [
        'slots/10.log',
        'epoch-2/s-1.bin',
        'slots/9.log',
        'epoch-10/s-1.bin',
        'slots-x',
      ]
      for (const name of names) await store.createIfAbsent(name, bytesOf(name))
      expect(await store.list('slots/')).toEqual(['slots/10.log', 'slots/9.log'])
      expect(await store.list('slots/1')).toEqual(['slots/10.log'])
      expect(await store.list('epoch-')).toEqual(['epoch-10/s-1.bin', 'epoch-2/s-1.bin'])
      expect(await store.list('')).toEqual([...names].sort())
      expect(await store.list('none/')).toEqual([])
    })

    test('delete removes an object, and a missing one is no error', async () => {
      const { store } = await open()
      await store.createIfAbsent('epoch-1/a', bytesOf('1'))
      await store.delete('epoch-1/a')
      await store.delete('epoch-1/a')
      expect(await store.exists('epoch-1/a')).toBe(false)
      expect(await store.read('epoch-1/a')).toBeUndefined()
      expect(await store.list('')).toEqual([])
      expect(await store.createIfAbsent('epoch-1/a', bytesOf('2'))).toBe(true)
    })

    test('close keeps everything, and the store opens again', async () => {
      const { store } = await open()
      await store.createIfAbsent('a', bytesOf('1'))
      if (appends) await store.append('a', bytesOf('2'))
      await store.close()
      await store.open()
      if (appends) await store.append('a', bytesOf('3'))
      expect(textOf(await store.read('a'))).toBe(appends ? '123' : '1')
    })

    test('location is the same text for the same place', async () => {
      const { store, other } = await open()
      expect(store.location).toBe(other.location)
      expect(store.location).toMatch(new RegExp(`^${store.kind}:`))
    })
  })
}
