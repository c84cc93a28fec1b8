import { expect, test } from 'vitest'
import { callEach } from '../../src/plan/call-each.ts'

/** A call for each item that waits until the test settles it. */
function calls() {
  const begun: number[] = []
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  const call = (item: number): Promise<string> => {
    begun.push(item)
    const deferred = Promise.withResolvers<string>()
    waiting.set(item, deferred)
    return deferred.promise
  }
  const settle = async (item: number, error?: Error): Promise<void> => {
    if (error === undefined) waiting.get(item)?.resolve(`result ${item}`)
    else waiting.get(item)?.reject(error)
    waiting.delete(item)
    await new Promise(setImmediate)
  }
  return { begun, call, settle }
}

test('at most so many calls are pending, and each that ends makes room for the next', async () => {
  const { begun, call, settle } = calls()
  const run = callEach([0, 1, 2, 3], 2, call)
  expect(begun).toEqual([0, 1])
  await settle(1)
  expect(begun).toEqual([0, 1, 2])
  await settle(2)
  await settle(0)
  await settle(3)
  expect(await run).toEqual(['result 0', 'result 1', 'result 2', 'result 3'])
})

test('after a failure no call begins, and the pending ones are waited for', async () => {
  const { begun, call, settle } = calls()
  let over = false
  const run = callEach([0, 1, 2, 3], 2, call).finally(() => {
    over = true
  })
  const failed = expect(run).rejects.toThrow('no 1')
  await settle(1, new Error('no 1'))
  expect({ begun, over }).toEqual({ begun: [0, 1], over: false })
  await settle(0)
  await failed
  expect(begun).toEqual([0, 1])
})

test('of several failures that of the first item counts, whichever came first', async () => {
  const { call, settle } = calls()
  const failed = expect(callEach([0, 1], 2, call)).rejects.toThrow('no 0')
  await settle(1, new Error('no 1'))
  await settle(0, new Error('no 0'))
  await failed
})

test('nothing to call gives nothing', async () => {
  expect(await callEach([], 3, () => Promise.reject(new Error('called')))).toEqual([])
})
