// Receivers whose blocks go to the workers.

import { receiveMessageOnPort } from 'node:worker_threads'
import { ManualClock, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { queue } from '../../src/receivers/queue.ts'
import { ShippingHost } from '../../src/workers/shipping-host.ts'

const LIMITS = [{ bytesMax: 1e9, recordsMax: 1e9 }]

test('the records of two batches are kept for a worker that begins anew, no more', async () => {
  const host = new ShippingHost([queue([[1], [2], [3], [4]])], 1, (sourceId) => ({
    pipeline: 'p',
    sourceId,
    clock: new ManualClock(0),
    logger: quietLogger,
    signal: new AbortController().signal,
    bufferBytesMax: 1e9,
    fail: () => undefined,
    reportError: () => undefined,
    tell: () => undefined,
    count: () => undefined,
  }))
  const port = host.open(0)
  /** The batches whose blocks were sent since the last call. */
  const sent = (): number[] => {
    const message = receiveMessageOnPort(port)?.message as { batchId: number } | undefined
    return message === undefined ? [] : [message.batchId, ...sent()]
  }
  await host.start(0, [])
  host.run()
  for (const batchId of [1, 2, 3]) await host.cut(batchId, LIMITS)
  expect(sent()).toEqual([1, 2, 3])
  await host.resend(1, 0)
  expect(sent()).toEqual([2, 3])
  await host.resend(3, 0)
  expect(sent()).toEqual([3])
  await host.cut(50, LIMITS)
  expect(sent()).toEqual([50])
  await host.resend(1, 0)
  expect(sent()).toEqual([50])
  await host.close()
})
