// The Kinesis simulator in a process of its own, with its streams in a folder: node
// simulator-process.ts FOLDER. It ends with its parent.

import { writeSync } from 'node:fs'
import { KinesisSimulator } from 'millrace/testing'
import { STREAMS } from './kill-pipeline.ts'

const [folder = ''] = process.argv.slice(2).map((arg) => JSON.parse(arg) as string)
const simulator = new KinesisSimulator({ path: folder, limits: 'off' })
for (const StreamName of Object.values(STREAMS)) {
  simulator.call('CreateStream', { StreamName, ShardCount: 2 })
}
const endpoint = await simulator.listen()
writeSync(1, `${JSON.stringify({ kind: 'listening', endpoint })}\n`)
process.stdin.resume()
process.stdin.once('end', () => process.exit(0))
