// The protocol of the service: one HTTP request becomes one call, and its result or its error one
// HTTP answer. It knows no socket: http-server.ts and request-handler.ts bring the requests.

import { randomBytes, randomUUID } from 'node:crypto'
import { type Clock, sleep } from '../../clock.ts'
import { unsigned } from './authorization.ts'
import { cborScalars, decodeCbor, encodeCbor } from './cbor-codec.ts'
import type { Fault } from './faults.ts'
import { decodeJson, encodeJson, jsonScalars } from './json-codec.ts'
import type { Input, Output } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { isObject, readInput, type Scalars } from './read-input.ts'
import { ConnectionCut, ServiceFault } from './service-fault.ts'

/** A request, its body whole and the names of its headers in lower case. */
export interface WireRequest {
  readonly method: string
  /** Path with query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** An answer. */
export interface WireResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** The most that a request may hold; 413 beyond. 10 MiB of records are 14 MiB in base64. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024

const SERVICE = 'Kinesis_20131202'
const JSON_TYPE = 'application/x-amz-json-1.1'
const CBOR_TYPE = 'application/x-amz-cbor-1.1'
const NO_OPERATION = 'Unable to determine service/operation name to be authorized'

interface Format {
  readonly type: string
  readonly scalars: Scalars
  decode(body: Uint8Array): unknown
  encode(value: unknown): Uint8Array
}

const JSON_FORMAT: Format = {
  type: JSON_TYPE,
  scalars: jsonScalars,
  decode: decodeJson,
  encode: encodeJson,
}
const CBOR_FORMAT: Format = {
  type: CBOR_TYPE,
  scalars: cborScalars,
  decode: decodeCbor,
  encode: encodeCbor,
}

/** What the wire needs of the service. `decide` is asked once a call; the wire carries out `slow`,
 * by holding the answer back, and the service the rest. */
export interface WiredService {
  readonly clock: Clock
  readonly faults: { decide(operation: string, input: Input, atMs: number): Fault }
  nowMs(): number
  /** Throws a ServiceFault or a ConnectionCut. */
  call(operation: string, input: Input, fault: Fault): Output
}

/** What a request asks for. */
interface Call {
  readonly operation: string
  readonly body: Input
  readonly format: Format
}

/** Turns requests into calls of a service. */
export class Wire {
  readonly #service: WiredService

  constructor(service: WiredService) {
    this.#service = service
  }

  /** Answers one request, or says that its connection breaks. */
  async handle(request: WireRequest): Promise<WireResponse | 'cut'> {
    const read = readCall(request)
    if ('status' in read) return read
    try {
      const result = await this.#call(read)
      const body = Object.keys(result).length === 0 ? EMPTY : read.format.encode(result)
      return answer(200, read.format.type, body)
    } catch (error) {
      if (error instanceof ConnectionCut) return 'cut'
      if (error instanceof ServiceFault) return refusal(error, read.format)
      throw error
    }
  }

  async #call({ operation, body, format }: Call): Promise<Output> {
    const service = this.#service
    const input = readInput(body, OPERATIONS.get(operation)?.members ?? {}, format.scalars)
    const fault = service.faults.decide(operation, input, service.nowMs())
    try {
      return service.call(operation, input, fault)
    } finally {
      if (fault.kind === 'slow') await sleep(service.clock, fault.delayMs)
    }
  }
}

const EMPTY = new Uint8Array(0)

/** Reads a request in the order in which the service looks at it: the first thing that is wrong is
 * what it tells. */
function readCall(request: WireRequest): Call | WireResponse {
  if (request.body.length > REQUEST_BYTES_MAX) return answer(413, undefined, EMPTY)
  if (request.method !== 'POST') return xml(403, 'AccessDeniedException', NO_OPERATION)
  const [service, operation = ''] = (request.headers['x-amz-target'] ?? '').split('.')
  const isKnown = service === SERVICE && OPERATIONS.has(operation)
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim()
  const format = type === JSON_TYPE ? JSON_FORMAT : type === CBOR_TYPE ? CBOR_FORMAT : undefined
  if (request.body.length === 0) {
    const code = isKnown ? 'SerializationException' : 'UnknownOperationException'
    return refusal({ status: 400, code }, format ?? CBOR_FORMAT)
  }
  if (format === undefined) {
    if (operation === '') return xml(403, 'AccessDeniedException', NO_OPERATION)
    return xml(404, 'UnknownOperationException')
  }
  const body = format.decode(request.body)
  if (!isObject(body)) return refusal({ status: 400, code: 'SerializationException' }, format)
  if (!isKnown) return refusal({ status: 400, code: 'UnknownOperationException' }, format)
  const missing = unsigned(request)
  if (missing !== undefined) {
    return refusal({ status: 400, code: missing[0], message: missing[1] }, format)
  }
  return { operation, body, format }
}

interface Refusal {
  readonly status: number
  readonly code: string
  readonly message?: string
}

function refusal({ status, code, message }: Refusal, format: Format): WireResponse {
  // Of this error alone the service writes the word with a capital.
  const word = code === 'SerializationException' ? 'Message' : 'message'
  const body = format.encode({
    __type: code,
    ...(message === undefined ? {} : { [word]: message }),
  })
  return answer(status, format.type, body, code)
}

/** Where the service knows no format to answer in, it answers in XML. */
function xml(status: number, code: string, message?: string): WireResponse {
  const text =
    message === undefined
      ? `<${code}/>\n`
      : `<${code}>\n  <Message>${message}</Message>\n</${code}>\n`
  return answer(status, undefined, Buffer.from(text), code)
}

function answer(
  status: number,
  type: string | undefined,
  body: Uint8Array,
  code?: string,
): WireResponse {
  const headers: Record<string, string> = {
    'x-amzn-requestid': randomUUID(),
    'x-amz-id-2': randomBytes(72).toString('base64'),
    'content-length': String(body.length),
  }
  if (type !== undefined) headers['content-type'] = type
  if (code !== undefined) headers['x-amzn-errortype'] = code
  return { status, headers, body }
}
