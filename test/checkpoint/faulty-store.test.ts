import { expect, test } from 'vitest'
import { FaultyStore } from '../../src/testing/faulty-store.ts'
import { MemoryStore } from '../../src/testing/memory-store.ts'
import { testStoreContract } from './store-contract.ts'

testStoreContract('FaultyStore without faults', () => {
  const inner = new MemoryStore()
  return { store: new FaultyStore(inner, []), other: inner }
})

const error = new Error('planned')

test('FaultyStore fails at the call it is told, as often as it is told', async () => {
  const store = new FaultyStore(new MemoryStore(), [
    { operation: 'exists', call: 2, times: 2, error },
  ])
  const outcomes = []
  for (let call = 0; call < 5; call += 1)
    outcomes.push(await store.exists('a').catch(() => 'failed'))
  expect(outcomes).toEqual([false, 'failed', 'failed', false, false])
  expect(store.callsOf('exists')).toBe(5)
})

test('FaultyStore has no effect, the whole effect, or a torn one', async () => {
  const store = new FaultyStore(new MemoryStore(), [
    { operation: 'createIfAbsent', error, effect: 'all' },
    { operation: 'append', call: 1, error, effect: 2 },
    { operation: 'append', call: 2, error },
  ])
  await expect(store.createIfAbsent('a', Buffer.from('1'))).rejects.toBe(error)
  await expect(store.append('a', Buffer.from('234'))).rejects.toBe(error)
  await expect(store.append('a', Buffer.from('5'))).rejects.toBe(error)
  expect(String(await store.read('a'))).toBe('123')
})
