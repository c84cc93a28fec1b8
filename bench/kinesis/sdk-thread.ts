// The bare SDK in a thread of its own: a loop for each shard, the same calls at the same pace, and
// nothing is done with the records.

import { setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { measuredClient, type ReadTask } from './measured-client.ts'

const POLL_INTERVAL_MS = 200
const SHARD_BYTES_PER_MS = (2 * 1_048_576) / 1_000

const task = workerData as ReadTask
const client = measuredClient(task)
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
    const dueAt = Math.max(calledAt + POLL_INTERVAL_MS, now + bytes / SHARD_BYTES_PER_MS)
    await setTimeout(Math.max(0, dueAt - now))
    ShardIterator = NextShardIterator
  }
}
