import { afterEach, expect, test } from 'vitest'
import { newStream, OpenedKinesis } from './opened-kinesis.ts'
import type { SimulatedKinesis } from './simulated-client.ts'

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

/** Lets the next calls of an operation fail with errors of these names. */
function fail(kinesis: SimulatedKinesis, operation: string, names: readonly string[]): void {
  const { client } = kinesis
  const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>
  const left = [...names]
  const failing = (command: object, ...more: unknown[]): Promise<unknown> => {
    const name = command.constructor.name === `${operation}Command` ? left.shift() : undefined
    if (name === undefined) return send(command, ...more)
    return Promise.reject(Object.assign(new Error(`${name} of the test`), { name }))
  }
  Object.assign(client, { send: failing })
}

test('a stream of more than one page of shards is read by its ARN', async () => {
  const kinesis = newStream(1_100, { limits: { shardsPerAccount: 2_000 }, callsMax: 10_000 })
  const { StreamDescriptionSummary } = kinesis.call('DescribeStreamSummary', { StreamName: 's' })
  const { StreamARN } = StreamDescriptionSummary as { StreamARN: string }
  opened = await OpenedKinesis.start(kinesis, { streamARN: StreamARN })
  expect(opened.positions).toHaveLength(1_100)
  expect(opened.failures).toEqual([])
})

test('credentials that expire after an outage are waited for as long as after none', async () => {
  const kinesis = newStream(1)
  kinesis.put('s', ['a1'])
  const lost = Array.from({ length: 12 }, () => 'ECONNRESET')
  fail(kinesis, 'GetRecords', [...lost, 'ExpiredTokenException', 'ExpiredTokenException'])
  opened = await OpenedKinesis.start(kinesis, { stream: 's' })
  await opened.pass(120_000, 500)
  expect(opened.failures).toEqual([])
  expect(opened.texts()).toEqual(['a1'])
})

test('credentials that are not renewed end the run', async () => {
  const kinesis = newStream(1)
  const names = Array.from({ length: 100 }, () => 'ExpiredTokenException')
  fail(kinesis, 'GetRecords', names)
  opened = await OpenedKinesis.start(kinesis, { stream: 's' })
  await opened.pass(60_000, 500)
  expect(String(opened.failures[0])).toMatch(/renew the credentials/)
})

test('a start that is throttled waits', async () => {
  const kinesis = newStream(1)
  const names = Array.from({ length: 8 }, () => 'LimitExceededException')
  fail(kinesis, 'DescribeStreamSummary', names)
  kinesis.put('s', ['a1'])
  opened = await OpenedKinesis.start(kinesis, { stream: 's' })
  await opened.pass(5_000)
  expect(opened.texts()).toEqual(['a1'])
  expect(opened.counts.get('kinesis.throttled')).toBe(8)
})
