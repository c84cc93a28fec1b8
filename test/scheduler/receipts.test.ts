// What each sink said about a batch is in its commit record.

import { pipeline, start } from 'millrace'
import { CollectingSink, MemoryStore, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { scanSlot, slotName } from '../../src/checkpoint/format.ts'

test('a commit record has one receipt for each output, in the order of declaration', async () => {
  const store = new MemoryStore()
  const described = pipeline('receipts', { batchInterval: 10, checkpoint: store }, (ssc) => {
    const numbers = ssc.queue([[1, 2, 3], [4]])
    numbers.writeTo(new CollectingSink<number>())
    numbers.filter((n) => n > 2).writeTo(new CollectingSink<number>())
  })
  await (await start(described, { until: 'caught-up', logger: quietLogger })).done
  const { frames } = scanSlot(1, (await store.read(slotName(1))) ?? new Uint8Array())
  const receipts = frames.flatMap(({ record }) =>
    record.kind === 'commit' ? [record.receipts.map(({ records }) => records)] : [],
  )
  expect(receipts.slice(0, 2)).toEqual([
    [3, 1],
    [1, 1],
  ])
})
