// Which stream and shard a call is about, read from its input.

import { decodeIterator } from './shard-iterator.ts'

/** Where a call goes, as far as its input says. */
export interface CallPlace {
  readonly stream: string | undefined
  readonly shard: string | undefined
}

/** Reads the stream and the shard that a call names, by itself or by its iterator. */
export function placeOfCall(input: Readonly<Record<string, unknown>>): CallPlace {
  if (typeof input['ShardIterator'] === 'string') {
    const iterator = decodeIterator(input['ShardIterator'])
    return { stream: iterator?.stream, shard: iterator?.shardId }
  }
  return { stream: streamOfCall(input), shard: textOf(input['ShardId']) }
}

/** Reads the name of the stream that a call names by its name or ARN. */
export function streamOfCall(input: Readonly<Record<string, unknown>>): string | undefined {
  return textOf(input['StreamName']) ?? textOf(input['StreamARN'])?.split(':stream/')[1]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
