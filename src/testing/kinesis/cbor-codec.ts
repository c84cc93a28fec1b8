// AWS CBOR 1.1, which the SDKs for Java send to Kinesis unless they are told not to: the same names
// as in JSON, blobs as byte strings, timestamps as tag 1 over epoch milliseconds (not seconds, as
// the RFC says: the SDKs write and read milliseconds).

import { cbor, tag } from '@smithy/core/cbor'
import { isObject, type Scalars } from './read-input.ts'

const TIMESTAMP_TAG = 1

/** Reads one body; undefined where it is not CBOR. */
export function decodeCbor(body: Uint8Array): unknown {
  try {
    return cbor.deserialize(body) as unknown
  } catch {
    return undefined
  }
}

/** Writes one answer. */
export function encodeCbor(value: unknown): Uint8Array {
  return cbor.serialize(tagged(value))
}

/** Blobs and timestamps in CBOR. */
export const cborScalars: Scalars = {
  blob: (value) => value,
  timestamp(value) {
    const ms = isObject(value) && value['tag'] === TIMESTAMP_TAG ? value['value'] : value
    return typeof ms === 'number' ? new Date(ms) : value
  },
}

/** The value with its dates tagged and without undefined members, which CBOR would keep. */
function tagged(value: unknown): unknown {
  if (value instanceof Date) return tag({ tag: TIMESTAMP_TAG, value: value.getTime() })
  if (value instanceof Uint8Array || !(Array.isArray(value) || isObject(value))) return value
  if (Array.isArray(value)) return value.map(tagged)
  const object: Record<string, unknown> = {}
  for (const name in value) if (value[name] !== undefined) object[name] = tagged(value[name])
  return object
}
