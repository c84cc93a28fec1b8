import { expect, test } from 'vitest'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { testStoreContract } from './store-contract.ts'

testStoreContract('MemoryStore', () => {
  const store = new MemoryStore()
  return { store, other: store }
})

async function storeWithTail(): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.createIfAbsent('a', Buffer.from('12'))
  await store.append('a', Buffer.from('34'))
  await store.sync('a')
  await store.append('a', Buffer.from('56'))
  return store
}

test('MemoryStore loses what was not synced when it crashes', async () => {
  const store = await storeWithTail()
  store.crash()
  expect(String(await store.read('a'))).toBe('1234')
})

test('MemoryStore keeps as many bytes of what was not synced as it is told', async () => {
  const store = await storeWithTail()
  store.crash({ keepUnsynced: 1 })
  expect(String(await store.read('a'))).toBe('12345')
  store.crash()
  expect(String(await store.read('a'))).toBe('12345')
})

test('MemoryStore changes and removes an object behind the back of its user', async () => {
  const store = await storeWithTail()
  store.damage('a', (bytes) => bytes.fill('x', 1, 3))
  expect(String(await store.read('a'))).toBe('1xx456')
  store.damage('a', () => undefined)
  expect(await store.exists('a')).toBe(false)
})

test('MemoryStore hands out copies', async () => {
  const store = new MemoryStore()
  const given = Buffer.from('12')
  await store.createIfAbsent('a', given)
  given.fill('x')
  ;(await store.read('a'))?.fill(0)
  expect(String(await store.read('a'))).toBe('12')
})

test('MemoryStore tells two stores apart', () => {
  expect(new MemoryStore().location).not.toBe(new MemoryStore().location)
})
