// Streams for the tests of operators on worker threads. What all threads see is in shared memory.

import type { DStream, StreamingContext } from 'millrace'

/** What is counted in shared memory. */
export const SEEN = { pending: 0, most: 1 } as const

/** Writes down how many calls are pending; fails the first time for odd numbers. */
export function calls(
  _ssc: StreamingContext,
  memory: Int32Array,
  numbers: DStream<number>,
): DStream<number> {
  const tried = new Set<number>()
  return numbers.mapAsync(
    async (n) => {
      const pending = Atomics.add(memory, SEEN.pending, 1) + 1
      for (;;) {
        const most = Atomics.load(memory, SEEN.most)
        if (pending <= most) break
        if (Atomics.compareExchange(memory, SEEN.most, most, pending) === most) break
      }
      for (let i = 0; i < 5; i++) await new Promise(setImmediate)
      Atomics.sub(memory, SEEN.pending, 1)
      if (n % 2 === 0 || tried.has(n)) return -n
      tried.add(n)
      throw new Error('not yet')
    },
    { concurrency: 4, retries: 1 },
  )
}

/** A join whose second side has a key that cannot be compared, at record 1 of partition 3. */
export function badKeys(
  _ssc: StreamingContext,
  _args: unknown,
  numbers: DStream<number>,
): DStream<unknown> {
  const keyed = numbers.map((n): [unknown, number] => [n === 7 ? new Map() : n, n])
  return numbers.map((n): [unknown, number] => [n, n]).join(keyed)
}
