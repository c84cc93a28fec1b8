// How many threads 'auto' is.

import { availableParallelism } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { startSettings } from '../../src/start-options.ts'

vi.mock('node:os', async (load) => ({
  ...(await load<typeof import('node:os')>()),
  availableParallelism: vi.fn(),
}))

afterEach(() => void vi.resetAllMocks())

const module = new URL('./fixtures/writer.ts', import.meta.url)

test.each([
  [1, 1],
  [4, 4],
  [8, 8],
  [64, 8],
])("on %d cores 'auto' is %d workers", (cores, workers) => {
  vi.mocked(availableParallelism).mockReturnValue(cores)
  expect(startSettings(module, {}).workers).toBe(workers)
  expect(startSettings(module, { workers: 'auto' }).workers).toBe(workers)
})

test('more than 8 are started where their number is given', () => {
  expect(startSettings(module, { workers: 64 }).workers).toBe(64)
})
