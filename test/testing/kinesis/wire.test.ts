// The protocol of the simulator, message by message.

import { setImmediate } from 'node:timers/promises'
import { cbor, tag } from '@smithy/core/cbor'
import { describe, expect, test } from 'vitest'
import { NO_FAULT } from '../../../src/testing/kinesis/faults.ts'
import { KinesisService } from '../../../src/testing/kinesis/service.ts'
import { ServiceFault } from '../../../src/testing/kinesis/service-fault.ts'
import { Wire, type WiredService, type WireRequest } from '../../../src/testing/kinesis/wire.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { CountingService } from './counting-service.ts'

const JSON_TYPE = 'application/x-amz-json-1.1'
const CBOR_TYPE = 'application/x-amz-cbor-1.1'
const SIGNED =
  'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kinesis/aws4_request, ' +
  'SignedHeaders=host, Signature=00'

describe('a call', () => {
  test('in JSON has its blobs as bytes and its times as dates, both ways', async () => {
    const service = new CountingService()
    service.answer = { Records: [{ Data: Buffer.from('b'), At: new Date(1_500) }], Gone: undefined }
    const answer = await handled(service, request('GetShardIterator', { Timestamp: 1.25 }))
    expect(answer.told).toEqual({ Records: [{ Data: 'Yg==', At: 1.5 }] })
    await handled(service, request('PutRecord', { Data: 'YQ==', PartitionKey: 'k', Other: 1 }))
    expect(service.calls).toEqual([
      { operation: 'GetShardIterator', input: { Timestamp: new Date(1_250) } },
      { operation: 'PutRecord', input: { Data: Buffer.from('a'), PartitionKey: 'k' } },
    ])
  })

  test('in JSON has its times to the millisecond', async () => {
    const service = new CountingService()
    for (let ms = 1_795_509_517_000; ms < 1_795_509_518_000; ms++) {
      await handled(service, request('GetShardIterator', { Timestamp: ms / 1_000 }))
      expect(service.calls.at(-1)?.input['Timestamp']).toEqual(new Date(ms))
    }
  })

  test('in CBOR has bytes as they are and its times in milliseconds', async () => {
    const service = new CountingService()
    service.answer = { Data: new Uint8Array([1]), At: new Date(1_500), Gone: undefined }
    const body = cbor.serialize({
      ShardFilter: { Type: 'AT_TIMESTAMP', Timestamp: tag({ tag: 1, value: 1_250 }) },
    })
    const answer = await handled(service, { ...request('ListShards', {}, CBOR_TYPE), body })
    expect(answer.headers['content-type']).toBe(CBOR_TYPE)
    const told = cbor.deserialize(answer.body) as { Data: Uint8Array; At: unknown }
    expect([...told.Data]).toEqual([1])
    expect(told.At).toMatchObject({ tag: 1, value: 1_500 })
    expect(Object.keys(told)).toEqual(['Data', 'At'])
    const ShardFilter = { Type: 'AT_TIMESTAMP', Timestamp: new Date(1_250) }
    expect(service.calls).toEqual([{ operation: 'ListShards', input: { ShardFilter } }])
  })

  test('without a result has an empty answer', async () => {
    const service = new CountingService()
    service.answer = {}
    const answer = await handled(service, request('DeleteStream', { StreamName: 's' }))
    expect([answer.status, answer.body.length]).toEqual([200, 0])
    expect(answer.headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('that is refused has status, code and message, in the format of the request', async () => {
    const service = new CountingService()
    service.error = new ServiceFault('ResourceNotFoundException', 'Stream s not found.')
    const json = await handled(service, request('DeleteStream', { StreamName: 's' }))
    expect(json).toMatchObject({ status: 400, headers: { 'content-type': JSON_TYPE } })
    const refused = { __type: 'ResourceNotFoundException', message: 'Stream s not found.' }
    expect(json.told).toEqual(refused)
    expect(json.headers['x-amzn-errortype']).toBe('ResourceNotFoundException')
    service.error = new ServiceFault('InternalFailure', 'no', 500)
    const body = cbor.serialize({})
    const other = await handled(service, { ...request('DeleteStream', {}, CBOR_TYPE), body })
    expect(other.status).toBe(500)
    expect(cbor.deserialize(other.body)).toEqual({ __type: 'InternalFailure', message: 'no' })
  })

  test('that breaks the simulator itself is no answer', async () => {
    const service = new CountingService()
    service.error = new TypeError('a mistake')
    await expect(new Wire(service).handle(request('ListStreams', {}))).rejects.toThrow('a mistake')
  })
})

describe('a request that is no call is answered as the service answers it', () => {
  const cases: [string, Partial<WireRequest>, number, string, string?][] = [
    ['another method', { method: 'GET' }, 403, 'AccessDeniedException'],
    ['no content type', { headers: {} }, 403, 'AccessDeniedException'],
    [
      'another content type',
      { headers: headers('ListStreams', 'text/plain') },
      404,
      'UnknownOperationException',
    ],
    ['no body', { body: new Uint8Array(0) }, 400, 'SerializationException'],
    ['a body that is no JSON', { body: Buffer.from('{') }, 400, 'SerializationException'],
    ['a body that is no object', { body: Buffer.from('[1]') }, 400, 'SerializationException'],
    ['another operation', { headers: headers('Fly') }, 400, 'UnknownOperationException'],
    [
      'the name of what every object has',
      { headers: headers('constructor') },
      400,
      'UnknownOperationException',
    ],
    [
      'no signature',
      { headers: { ...headers('ListStreams'), authorization: undefined } },
      400,
      'MissingAuthenticationTokenException',
      'Missing Authentication Token',
    ],
    [
      'half a signature',
      { headers: { ...headers('ListStreams'), authorization: 'AWS4-HMAC-SHA256 Credential=a' } },
      400,
      'IncompleteSignatureException',
      "Authorization header requires 'Signature' parameter. Authorization header requires " +
        "'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a",
    ],
    ['two signatures', { path: '/?X-Amz-Algorithm=a' }, 400, 'InvalidSignatureException'],
    [
      'half a signature in the query',
      {
        path: '/?X-Amz-Algorithm=a',
        headers: { ...headers('ListStreams'), authorization: undefined },
      },
      400,
      'IncompleteSignatureException',
    ],
  ]
  test.each(cases)('%s', async (_name, change, status, code, message) => {
    const service = new CountingService()
    const answer = await handled(service, { ...request('ListStreams', {}), ...change })
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([status, code])
    expect(Buffer.from(answer.body).toString()).toContain(code)
    if (message !== undefined) expect(answer.told).toMatchObject({ message })
    expect(service.calls).toEqual([])
  })

  const wrong: [string, string, object, string][] = [
    [
      'a number for a name',
      'DeleteStream',
      { StreamName: 1 },
      'TruncatingBigNumber can not be converted to an String',
    ],
    [
      'a text for a number',
      'ListStreams',
      { Limit: '1' },
      'class java.lang.String can not be converted to an Integer',
    ],
    ['a structure for a name', 'DeleteStream', { StreamName: {} }, 'Start of structure or map'],
    ['a list for a name', 'DeleteStream', { StreamName: [] }, 'Start of list found where not'],
    ['a structure for a list', 'PutRecords', { Records: {} }, 'Start of structure or map'],
    ['a text for a list', 'PutRecords', { Records: 'a' }, 'Expected list or null'],
    [
      'a time in words',
      'GetShardIterator',
      { Timestamp: 'today' },
      'class java.lang.String can not be converted to milliseconds since epoch',
    ],
    [
      'half a group of base64',
      'PutRecord',
      { Data: 'YQ=' },
      "'YQ=' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 " +
        'bytes but found: 3',
    ],
    [
      'a letter that base64 has not',
      'PutRecord',
      { Data: 'Y$==' },
      "'Y$==' can not be converted to a Blob: Invalid Base64 character: '$'",
    ],
  ]
  test.each(wrong)('%s', async (_name, operation, input, message) => {
    const answer = await handled(
      new KinesisService({ clock: new ManualClock() }),
      request(operation, input),
    )
    expect(answer.told).toMatchObject({ __type: 'SerializationException' })
    expect((answer.told as { Message: string }).Message).toContain(message)
  })

  test('a body beyond the bound', async () => {
    const body = new Uint8Array(16 * 1024 * 1024 + 1)
    const answer = await handled(new CountingService(), { ...request('PutRecords', {}), body })
    expect([answer.status, answer.body.length]).toEqual([413, 0])
  })

  test('null and what the operation does not take are left out', async () => {
    const service = new CountingService()
    const Records = [{ Data: null, PartitionKey: 'k', More: 1 }]
    await handled(service, request('PutRecords', { Records, StreamName: null, X: {} }))
    expect(service.calls[0]?.input).toEqual({ Records: [{ PartitionKey: 'k' }] })
  })
})

describe('a fault', () => {
  test('that is slow is executed at once, and its answer waits on the clock', async () => {
    const clock = new ManualClock()
    const service = new CountingService(clock)
    service.fault = { ...NO_FAULT, kind: 'slow', delayMs: 500 }
    let isAnswered = false
    const answered = handled(service, request('ListStreams', {})).finally(() => {
      isAnswered = true
    })
    expect(service.calls).toHaveLength(1)
    clock.advance(499)
    await setImmediate()
    expect(isAnswered).toBe(false)
    clock.advance(1)
    expect((await answered).status).toBe(200)
    expect(service.calls).toHaveLength(1)
  })

  test.each([
    ['cut-before', 0],
    ['cut-after', 1],
  ] as const)('%s breaks the connection after %i calls', async (kind, calls) => {
    const service = new CountingService()
    service.fault = { ...NO_FAULT, kind }
    expect(await new Wire(service).handle(request('ListStreams', {}))).toBe('cut')
    expect(service.calls).toHaveLength(calls)
  })
})

function headers(operation: string, type = JSON_TYPE): Record<string, string | undefined> {
  return {
    'content-type': type,
    'x-amz-target': `Kinesis_20131202.${operation}`,
    'x-amz-date': '20260101T000000Z',
    authorization: SIGNED,
  }
}

function request(operation: string, input: object, type = JSON_TYPE): WireRequest {
  const body = Buffer.from(JSON.stringify(input))
  return { method: 'POST', path: '/', headers: headers(operation, type), body }
}

async function handled(service: WiredService, asked: WireRequest) {
  const answer = await new Wire(service).handle(asked)
  if (answer === 'cut') throw new Error('The connection was cut')
  const isJson = answer.headers['content-type'] === JSON_TYPE && answer.body.length > 0
  const told = isJson ? (JSON.parse(Buffer.from(answer.body).toString()) as unknown) : undefined
  return { ...answer, told }
}
