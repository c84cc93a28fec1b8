// A Kinesis server in a process of its own: the simulator without limits, with filled streams.

import { KinesisSimulator } from 'millrace/testing'

/** What the server is filled with. */
export interface ServerTask {
  readonly streams: readonly FilledStream[]
  readonly recordBytes: number
}

/** A stream whose shards hold as much each. */
export interface FilledStream {
  readonly stream: string
  readonly shards: number
  readonly recordsOfShard: number
}

const RECORDS_OF_PUT = 500
const HASH_KEYS = 2n ** 128n

const task = JSON.parse(process.argv[2] as string) as ServerTask
const simulator = new KinesisSimulator({ limits: 'off' })
for (const stream of task.streams) fill(stream, task.recordBytes)
process.send?.(await simulator.listen())
process.once('disconnect', () => process.exit())

function fill({ stream, shards, recordsOfShard }: FilledStream, recordBytes: number): void {
  simulator.call('CreateStream', { StreamName: stream, ShardCount: shards })
  const Data = new Uint8Array(recordBytes).fill(97)
  for (let shard = 0; shard < shards; shard++) {
    const middle = (HASH_KEYS * BigInt(2 * shard + 1)) / BigInt(2 * shards)
    for (let i = 0; i < recordsOfShard; i += RECORDS_OF_PUT) {
      const length = Math.min(RECORDS_OF_PUT, recordsOfShard - i)
      const Records = Array.from({ length }, () => {
        return { Data, PartitionKey: 'key', ExplicitHashKey: middle.toString() }
      })
      simulator.call('PutRecords', { StreamName: stream, Records })
    }
  }
}
