// The simulator's port and its handler without a port, through the SDK's own client.

import { type EventEmitter, once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { KinesisClient, ListStreamsCommand, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NO_FAULT } from '../../../src/testing/kinesis/faults.ts'
import { HttpServer } from '../../../src/testing/kinesis/http-server.ts'
import { wireHandler } from '../../../src/testing/kinesis/request-handler.ts'
import { ServiceFault } from '../../../src/testing/kinesis/service-fault.ts'
import { Wire } from '../../../src/testing/kinesis/wire.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { CountingService } from './counting-service.ts'

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const region = 'us-east-1'
const PUT = { StreamName: 's', PartitionKey: 'k', Data: Buffer.from('a') }
const ANSWER = { ShardId: 'shardId-000000000000', SequenceNumber: '1' }

let service: CountingService
let server: HttpServer
let client: KinesisClient

describe.each([
  ['its default, HTTP/2', {}],
  ['HTTP/2', { requestHandler: new NodeHttp2Handler() }],
  ['HTTP/1.1', { requestHandler: new NodeHttpHandler() }],
  ['no socket', 'in the process'],
] as const)("the SDK's client over %s", (_name, options) => {
  beforeEach(async () => {
    service = new CountingService()
    const wire = new Wire(service)
    server = await HttpServer.listen(wire)
    const requestHandler = wireHandler(wire, service.clock)
    const how = options === 'in the process' ? { requestHandler } : options
    client = new KinesisClient({
      endpoint: server.url,
      region,
      credentials,
      maxAttempts: 1,
      ...how,
    })
  })
  afterEach(async () => {
    client.destroy()
    await server.close()
  })

  test('puts and gets its answer', async () => {
    service.answer = ANSWER
    const answer = await client.send(new PutRecordCommand(PUT))
    expect(answer).toMatchObject(ANSWER)
    expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(service.calls).toEqual([{ operation: 'PutRecord', input: PUT }])
  })

  test('sends many calls at once', async () => {
    service.answer = ANSWER
    const puts = Array.from({ length: 50 }, () => client.send(new PutRecordCommand(PUT)))
    for (const answer of await Promise.all(puts)) expect(answer).toMatchObject(ANSWER)
    expect(service.calls).toHaveLength(50)
  })

  test('sends and reads a record of 10 MiB', async () => {
    const Data = Buffer.alloc(10 * 1024 * 1024, 7)
    service.answer = { ...ANSWER, EncryptionType: 'x'.repeat(10_000_000) }
    const answer = await client.send(new PutRecordCommand({ ...PUT, Data }))
    expect(answer.EncryptionType).toHaveLength(10_000_000)
    const sent = service.calls[0]?.input['Data'] as Uint8Array
    expect(Buffer.compare(sent, Data)).toBe(0)
  })

  test('hears what the service refuses', async () => {
    service.error = new ServiceFault(
      'ProvisionedThroughputExceededException',
      'Rate exceeded for shard.',
    )
    await expect(client.send(new PutRecordCommand(PUT))).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
      message: 'Rate exceeded for shard.',
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('loses an answer when the connection is cut, and goes on with another', async () => {
    service.fault = { ...NO_FAULT, kind: 'cut-after' }
    await expect(client.send(new PutRecordCommand(PUT))).rejects.toThrow()
    expect(service.calls).toHaveLength(1)
    service.fault = NO_FAULT
    service.answer = ANSWER
    await expect(client.send(new PutRecordCommand(PUT))).resolves.toMatchObject(ANSWER)
  })

  test('gives up a slow call when its signal aborts', async () => {
    service.fault = { ...NO_FAULT, kind: 'slow', delayMs: 60_000 }
    const abort = new AbortController()
    const put = client.send(new PutRecordCommand(PUT), { abortSignal: abort.signal })
    const failed = expect(put).rejects.toMatchObject({ name: 'AbortError' })
    while (service.calls.length === 0) await turn()
    abort.abort()
    await failed
    expect(service.calls).toHaveLength(1)
  })
})

describe('in the process', () => {
  test('a slow answer waits on the clock of the simulator, and so does its limit', async () => {
    const clock = new ManualClock()
    const slow = new CountingService(clock)
    slow.fault = { ...NO_FAULT, kind: 'slow', delayMs: 1_000 }
    const requestHandler = wireHandler(new Wire(slow), clock)
    const sdk = new KinesisClient({ region, credentials, maxAttempts: 1, requestHandler })
    const answered = sdk.send(new ListStreamsCommand({}))
    await turn()
    clock.advance(1_000)
    await answered
    const late = sdk.send(new ListStreamsCommand({}), { requestTimeout: 400 })
    const failed = expect(late).rejects.toMatchObject({ name: 'TimeoutError' })
    await turn()
    clock.advance(400)
    await failed
  })
})

describe('the port', () => {
  beforeEach(async () => {
    service = new CountingService()
    server = await HttpServer.listen(new Wire(service))
  })
  afterEach(() => server.close())

  test('closes while connections of each kind are open and a call is under way', async () => {
    service.fault = { ...NO_FAULT, kind: 'slow', delayMs: 60_000 }
    const { hostname: host, port } = new URL(server.url)
    const silent = connect({ host, port: Number(port) })
    const begun = connect({ host, port: Number(port) })
    begun.write('PR')
    const http2 = connectHttp2(server.url)
    const ignore = (): void => undefined
    for (const one of [silent, begun, http2]) one.on('error', ignore)
    const stream = http2.request({ ':method': 'POST' })
    stream.on('error', ignore)
    stream.end('{')
    const http1 = httpRequest({ host, port, method: 'POST', headers: { 'content-length': 9 } })
    http1.on('error', ignore)
    http1.write('{')
    await Promise.all([once(silent, 'connect'), once(http2, 'connect'), turn()])
    const ended = [silent, begun, http2, http1].map(closed)
    await server.close()
    await Promise.all(ended)
    await server.close()
  })

  test('refuses a body beyond the bound, by HTTP/1.1 and by HTTP/2', async () => {
    const body = Buffer.alloc(17 * 1024 * 1024)
    const { hostname: host, port } = new URL(server.url)
    const http1 = httpRequest({ host, port, method: 'POST' })
    http1.end(body)
    const [answer] = (await once(http1, 'response')) as [{ statusCode: number; resume(): void }]
    answer.resume()
    const http2 = connectHttp2(server.url)
    const stream = http2.request({ ':method': 'POST' })
    stream.end(body)
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
    http2.destroy()
    expect([answer.statusCode, headers[':status']]).toEqual([413, 413])
  })

  test('takes a request that comes byte by byte, and a client that ends its side', async () => {
    const { hostname: host, port } = new URL(server.url)
    const socket = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true })
    await once(socket, 'connect')
    for (const byte of 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n') {
      await written(socket, byte)
    }
    socket.end()
    const chunks: Buffer[] = []
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 403 .*AccessDenied/s)
  })
})

function closed(one: EventEmitter): Promise<void> {
  return new Promise((resolve) => one.once('close', () => resolve()))
}

function written(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, () => resolve()))
}

/** Lets what is under way go on once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
