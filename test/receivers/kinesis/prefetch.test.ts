import { expect, test } from 'vitest'
import { Prefetch } from '../../../src/receivers/kinesis/prefetch.ts'

// Found by `npm run torture -- faults --seed 456001 --count 1`: a receiver that never stopped.
test('the end lets a waiting read go on, though no byte is free', async () => {
  const prefetch = new Prefetch(100, () => 30)
  prefetch.bound.add(95)
  prefetch.cutTook(10)
  const admitted = prefetch.admit({ waiting: 30, pageBytes: 10 })
  prefetch.release()
  await expect(admitted).resolves.toHaveProperty('bytes', 10)
})

test('after the end a cut holds no read back any more', async () => {
  const prefetch = new Prefetch(100, () => 30)
  prefetch.release()
  prefetch.cutTook(10)
  await expect(prefetch.admit({ waiting: 30, pageBytes: 10 })).resolves.toHaveProperty('bytes', 10)
})
