// The demo's server and producer without an engine, as a process that a test can kill: feeds the
// folder that it is given until it dies, and says when it has begun.

import { demoFolder } from '../../demo/demo-folder.ts'
import { resolve } from '../../demo/in-doubt.ts'
import { Producer } from '../../demo/producer.ts'
import { SentRecord } from '../../demo/sent-record.ts'
import { StreamServer } from '../../demo/stream-server.ts'

const folder = demoFolder(process.argv[2]!)
const server = await StreamServer.open(folder.kinesis)
const client = server.client()
const sent = await SentRecord.open(folder.sent)
await resolve(sent, client)
const producer = new Producer(client, sent, () => undefined)
process.send?.('feeding')
for (;;) await producer.put(300)
