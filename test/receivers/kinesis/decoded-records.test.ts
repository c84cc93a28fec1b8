import { Readable } from 'node:stream'
import { GetRecordsCommand, KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { KinesisSimulator } from 'millrace/testing'
import { expect, test } from 'vitest'
import { decodeRecords } from '../../../src/receivers/kinesis/decoded-records.ts'

const JSON_TYPE = 'application/x-amz-json-1.1'
const input = { ShardIterator: 'an iterator' }

function clientOf(requestHandler: KinesisClientConfig['requestHandler']): KinesisClient {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const where = { region: 'us-east-1', credentials, maxAttempts: 1 }
  return new KinesisClient({ ...where, ...(requestHandler && { requestHandler }) })
}

/** A client of a service that always gives the same answer. */
function answering(body: unknown, type = JSON_TYPE, statusCode = 200): KinesisClient {
  const headers = { 'content-type': type }
  const handle = async () => ({ response: { statusCode, headers, body } })
  return clientOf({ handle } as unknown as NonNullable<KinesisClientConfig['requestHandler']>)
}

function streamOf(...pieces: string[]): Readable {
  return Readable.from(pieces.map((piece) => Buffer.from(piece)))
}

const record = {
  Data: Buffer.from('ä\0').toString('base64'),
  PartitionKey: 'ключ',
  SequenceNumber: '4950',
  ApproximateArrivalTimestamp: 1_700_000_000.123,
}
const page = { Records: [record], NextShardIterator: 'next', MillisBehindLatest: 7 }

test('an answer is what the SDK makes of it', async () => {
  const simulator = new KinesisSimulator({ limits: 'off' })
  simulator.call('CreateStream', { StreamName: 's', ShardCount: 1 })
  for (const text of ['a', '', 'ünï', '\0'.repeat(100_000)]) {
    const Data = new TextEncoder().encode(text)
    simulator.call('PutRecord', { StreamName: 's', Data, PartitionKey: `key ${text.slice(0, 9)}` })
  }
  const of = { StreamName: 's', ShardId: 'shardId-000000000000' }
  const start = { ...of, ShardIteratorType: 'TRIM_HORIZON' }
  const { ShardIterator } = simulator.call('GetShardIterator', start) as { ShardIterator: string }
  const client = clientOf(simulator.requestHandler() as never)
  const sdk = await client.send(new GetRecordsCommand({ ShardIterator }))
  const here = await client.send(decodeRecords(new GetRecordsCommand({ ShardIterator })))
  expect(here.Records).toHaveLength(4)
  const comparable = ({ $metadata: _, NextShardIterator, Records, ...rest }: typeof sdk) => {
    const records = Records?.map((one) => ({ ...one, Data: Buffer.from(one.Data ?? []) }))
    return { ...rest, records, hasNext: NextShardIterator !== undefined }
  }
  expect(comparable(here)).toEqual(comparable(sdk))
})

test('a body that comes in pieces is put together, within a character too', async () => {
  const bytes = Buffer.from(JSON.stringify(page))
  const cut = bytes.indexOf(Buffer.from('к')) + 1
  const body = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)])
  const answer = await answering(body).send(decodeRecords(new GetRecordsCommand(input)))
  expect(answer.NextShardIterator).toBe('next')
  expect(answer.MillisBehindLatest).toBe(7)
  const [one] = answer.Records ?? []
  expect(Buffer.from(one?.Data ?? []).toString()).toBe('ä\0')
  expect(one?.PartitionKey).toBe('ключ')
  expect(one?.ApproximateArrivalTimestamp?.getTime()).toBe(1_700_000_000_123)
})

test('the SDK does not see the records: it would refuse what is no base64', async () => {
  const text = JSON.stringify({ ...page, Records: [{ ...record, Data: '*' }] })
  const command = () => new GetRecordsCommand(input)
  await expect(answering(streamOf(text)).send(command())).rejects.toThrow(/base64/i)
  const answer = await answering(streamOf(text)).send(decodeRecords(command()))
  expect(answer.Records).toHaveLength(1)
})

test('a command that is sent again has the records of its own answer', async () => {
  const bodies = [JSON.stringify(page), JSON.stringify({ ...page, Records: [] }), '{}']
  const handle = async () => {
    const headers = { 'content-type': JSON_TYPE }
    return { response: { statusCode: 200, headers, body: streamOf(bodies.shift() as string) } }
  }
  const client = clientOf({ handle } as never)
  const command = decodeRecords(new GetRecordsCommand(input))
  expect((await client.send(command)).Records).toHaveLength(1)
  expect((await client.send(command)).Records).toEqual([])
  expect((await client.send(command)).Records).toBeUndefined()
})

test.each([
  ['a record without data', { Records: [{ ...record, Data: undefined }] }],
  ['a record that is none', { Records: [null] }],
  ['records that are no list', { Records: 'none' }],
])('%s is left to the SDK', async (_, body) => {
  const text = JSON.stringify({ ...page, ...body })
  const outcome = async (command: GetRecordsCommand) => {
    try {
      return (await answering(streamOf(text)).send(command)).Records
    } catch (error) {
      return (error as Error).name
    }
  }
  const sdk = await outcome(new GetRecordsCommand(input))
  expect(await outcome(decodeRecords(new GetRecordsCommand(input)))).toEqual(sdk)
})

test('a refusal is the error that the SDK makes of it', async () => {
  const body = streamOf('{"__type":"ExpiredIteratorException","message":"too late"}')
  const sent = answering(body, JSON_TYPE, 400).send(decodeRecords(new GetRecordsCommand(input)))
  await expect(sent).rejects.toMatchObject({
    name: 'ExpiredIteratorException',
    message: 'too late',
    $metadata: { httpStatusCode: 400 },
  })
})

test('an answer that is cut off is an error', async () => {
  const cut = streamOf(JSON.stringify(page).slice(0, -9))
  await expect(answering(cut).send(decodeRecords(new GetRecordsCommand(input)))).rejects.toThrow()
  const broken = new Readable({ read: () => undefined })
  broken.push('{"Records":')
  setImmediate(() => broken.destroy())
  const sent = answering(broken).send(decodeRecords(new GetRecordsCommand(input)))
  await expect(sent).rejects.toThrow(/premature/i)
})
