import { expect, test } from 'vitest'
import { ByteBound } from '../../src/receivers/block-buffer.ts'

/** Asks for room; says in `order` when it is there. */
function ask(bound: ByteBound, bytes: number, order: number[]): Promise<void> {
  return bound.reserve(bytes).then(() => void order.push(bytes))
}

test('keeps room free for what is in flight, and gives it in the order of asking', async () => {
  const bound = new ByteBound(100)
  const order: number[] = []
  const asked = [60, 50, 10].map((bytes) => ask(bound, bytes, order))
  await asked[0]
  expect(order).toEqual([60])
  bound.add(30)
  bound.unreserve(60)
  await Promise.all(asked)
  expect(order).toEqual([60, 50, 10])
  expect(bound.bytes).toBe(30)
})

test('lets one through that is larger than the bound when nothing else is there', async () => {
  const bound = new ByteBound(100)
  await bound.reserve(500)
  const order: number[] = []
  const next = ask(bound, 1, order)
  await Promise.resolve()
  expect(order).toEqual([])
  bound.unreserve(500)
  await next
  expect(order).toEqual([1])
})

test('lets all through when the run ends', async () => {
  const bound = new ByteBound(10)
  bound.add(10)
  const asked = [bound.room(), bound.reserve(5)]
  bound.release()
  await expect(Promise.all(asked)).resolves.toHaveLength(2)
})

test('lets through what asks after the end: nobody makes room any more', async () => {
  const bound = new ByteBound(10)
  bound.add(10)
  bound.release()
  await expect(Promise.all([bound.room(), bound.reserve(5)])).resolves.toHaveLength(2)
})
