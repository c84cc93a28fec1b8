// The bare SDK in a thread of its own: a loop for each shard, the same calls at the same pace. The
// bytes of the records are added up, and nothing else is done with them.

import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { CLIENT, measureReads, type ReadTask } from './measured-reads.ts'
import { dueAt } from './pace.ts'

const task = workerData as ReadTask
measureReads(task.memory)
const requestHandler = new NodeHttpHandler()
const { endpoint } = task
const client = new KinesisClient({ ...CLIENT, endpoint, maxAttempts: 1, requestHandler })
const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: task.stream }))
parentPort?.postMessage('ready')
parentPort?.once('message', () => {
  for (const { ShardId } of Shards) void read(ShardId as string)
})

async function read(ShardId: string): Promise<void> {
  const start = { StreamName: task.stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' } as const
  let { ShardIterator } = await client.send(new GetShardIteratorCommand(start))
  while (ShardIterator !== undefined) {
    const calledAt = performance.now()
    const command = new GetRecordsCommand({ ShardIterator, Limit: task.recordsPerCall })
    const { Records = [], NextShardIterator } = await client.send(command)
    const bytes = Records.reduce((n, { Data }) => n + (Data?.length ?? 0), 0)
    const now = performance.now()
    await setTimeout(Math.max(0, dueAt(calledAt, now, bytes) - now))
    ShardIterator = NextShardIterator
  }
}
