// What one worker still does for an attempt that another has failed.

import { expect, test } from 'vitest'
import { leaf } from '../../src/batch/node.ts'
import { mapAsync } from '../../src/batch/recipes.ts'
import { Evaluator } from '../../src/plan/evaluator.ts'
import { alone } from '../../src/plan/peers.ts'
import { StageCache } from '../../src/plan/stage-cache.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

test('mapAsync begins no call once the attempt is given up', async () => {
  const begun: number[] = []
  let givenUp = false
  const f = async (n: number): Promise<number> => {
    begun.push(n)
    givenUp = n === 2
    return n
  }
  const options = { f, concurrency: 1, timeoutMs: undefined, retries: 0 }
  const node = mapAsync(options, { name: 'mapAsync', fixed: true })([leaf([[[1, 2, 3, 4]]])])
  const peers = {
    ...alone,
    throwIfGivenUp(): void {
      if (givenUp) throw new Error('given up')
    },
  }
  const parts = { time: 0, traced: false, stages: new StageCache(), clock: new ManualClock() }
  await expect(new Evaluator({ ...parts, peers }).run(node)).rejects.toThrow(/^given up$/)
  expect(begun).toEqual([1, 2])
})
