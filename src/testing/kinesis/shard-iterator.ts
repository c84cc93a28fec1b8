// Shard iterators: text that only the service reads. It names the place to read from and the time
// at which it was given, and survives a restart of the simulator.

import { crc32 } from 'node:zlib'

/** Where a read begins. */
export interface ShardPosition {
  /** A sequence number of the shard. */
  readonly sequenceNumber: string
  /** True if the record with that sequence number is not to be read again. */
  readonly after: boolean
}

/** What an iterator holds. */
export interface ShardIterator extends ShardPosition {
  readonly stream: string
  /** Creation time of the stream: a stream of the same name that came later is another one. */
  readonly streamCreatedMs: number
  readonly shardId: string
  /** When the iterator was given. */
  readonly givenMs: number
}

// The service's own iterators begin with these 8 bytes, a version.
const HEAD = Buffer.from('0000000000000001', 'hex')
const HEAD_BYTES = HEAD.length + 4

/** Gives the text of an iterator. */
export function encodeIterator(iterator: ShardIterator): string {
  const { givenMs, stream, streamCreatedMs, shardId, after, sequenceNumber } = iterator
  const place = `${stream}/${streamCreatedMs}/${shardId}`
  const fields = `${givenMs}/${place}/${after ? 1 : 0}/${sequenceNumber}`
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + fields.length)
  bytes.set(HEAD)
  bytes.write(fields, HEAD_BYTES, 'latin1')
  bytes.writeUInt32BE(crc32(bytes.subarray(HEAD_BYTES)), HEAD.length)
  return bytes.toString('base64')
}

/** Reads an iterator; undefined if the text is none that `encodeIterator` gave. */
export function decodeIterator(text: string): ShardIterator | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (text.length !== Math.ceil(bytes.length / 3) * 4) return undefined
  if (bytes.length <= HEAD_BYTES || HEAD.compare(bytes, 0, HEAD.length) !== 0) return undefined
  const body = bytes.subarray(HEAD_BYTES)
  if (bytes.readUInt32BE(HEAD.length) !== crc32(body)) return undefined
  const fields = body.toString('latin1').split('/')
  const [givenMs, stream = '', createdMs, shardId = '', after, sequenceNumber = ''] = fields
  return {
    givenMs: Number(givenMs),
    stream,
    streamCreatedMs: Number(createdMs),
    shardId,
    after: after === '1',
    sequenceNumber,
  }
}
