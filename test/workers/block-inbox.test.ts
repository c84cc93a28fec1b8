// Who waits for blocks, and what ends the wait.

import { MessageChannel } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { ValuesBlock } from '../../src/batch/values-block.ts'
import { BlockInbox } from '../../src/workers/block-inbox.ts'

function opened() {
  const { port1, port2 } = new MessageChannel()
  return { sender: port1, inbox: new BlockInbox([], port2) }
}

test('a wait for blocks ends when they come', async () => {
  const { sender, inbox } = opened()
  const blocks = inbox.blocksOf(1, 0, 'p')
  const content = new ValuesBlock([7]).toParcel().content
  sender.postMessage({ batchId: 1, sourceId: 0, partition: 'p', blocks: [content] })
  expect((await blocks).map((block) => block.at(0))).toEqual([7])
  inbox.close()
})

test('a wait for blocks ends when the attempt is given up; the next one may wait', async () => {
  const { sender, inbox } = opened()
  const failed = new Error('another worker failed')
  const blocks = inbox.blocksOf(1, 0, 'p')
  inbox.giveUp(failed)
  await expect(blocks).rejects.toBe(failed)
  const again = inbox.blocksOf(1, 0, 'p')
  sender.postMessage({ batchId: 1, sourceId: 0, partition: 'p', blocks: [] })
  expect(await again).toEqual([])
  inbox.close()
})

test('a wait for blocks ends when nobody sends any more, and none begins', async () => {
  const { sender, inbox } = opened()
  const blocks = inbox.blocksOf(1, 0, 'p')
  sender.close()
  await expect(blocks).rejects.toMatchObject({ code: 'WORKER_DIED', retryable: false })
  await expect(inbox.blocksOf(2, 0, 'p')).rejects.toMatchObject({ code: 'WORKER_DIED' })
})
