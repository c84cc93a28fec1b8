// AWS JSON 1.1: blobs are base64, timestamps are epoch seconds with fractions.

import { isObject, type Scalars } from './read-input.ts'
import { ServiceFault } from './service-fault.ts'

/** Reads one body; undefined where it is not JSON. */
export function decodeJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Writes one answer. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(plain(value)))
}

/** Blobs and timestamps in JSON. */
export const jsonScalars: Scalars = {
  blob(value) {
    if (typeof value !== 'string') return value
    const bytes = Buffer.from(value, 'base64')
    if (bytes.length !== bytesIn(value)) throw notBase64(value)
    return bytes
  },
  // Seconds with fractions are no whole number of milliseconds in binary.
  timestamp: (value) => (typeof value === 'number' ? new Date(Math.round(value * 1_000)) : value),
}

/** The bytes of a text, if it is base64: what is not, Node leaves out. */
function bytesIn(base64: string): number {
  if (/[-_]/.test(base64)) return -1
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return (base64.length / 4) * 3 - padding
}

function notBase64(text: string): ServiceFault {
  const why =
    text.length % 4 === 0
      ? `Invalid Base64 character: '${/[^a-zA-Z0-9+/=]|=(?=[^=])/.exec(text)?.[0]}'`
      : `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`
  const message = `'${text}' can not be converted to a Blob: ${why}`
  return new ServiceFault('SerializationException', message)
}

/** The value as JSON has it. Dates and bytes have a `toJSON` of their own, so this comes before. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (value instanceof Date) return value.getTime() / 1_000
  if (Array.isArray(value)) return value.map(plain)
  if (!isObject(value)) return value
  const object: Record<string, unknown> = {}
  for (const name in value) object[name] = plain(value[name])
  return object
}
