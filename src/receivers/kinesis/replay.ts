import type { RangeData, SourceRange } from '../receiver.ts'
import { KinesisBlock, type ReceivedRecord } from './kinesis-record.ts'
import type { ShardPace } from './shard-pace.ts'
import type { StreamReader } from './stream-reader.ts'

const EMPTY_PAGES_MAX = 50

/** Reads the records of a logged range again: those after `after`, as many as were logged, up to
 * `upTo`, at the pace of the shard. The engine compares count and checksum with the log. */
export async function replayRange(
  reader: StreamReader,
  range: SourceRange,
  pace: ShardPace,
): Promise<RangeData> {
  const records: ReceivedRecord[] = []
  let emptyPages = 0
  let iterator: string | undefined =
    range.records === 0 ? undefined : await reader.iterator(range.partition, range.after, pace)
  while (iterator !== undefined && records.length < range.records && emptyPages < EMPTY_PAGES_MAX) {
    const page = await reader.read(iterator, range.records - records.length, pace)
    if (page === undefined) {
      const sequence = records.at(-1)?.sequenceNumber
      const after = sequence === undefined ? range.after : sequenceAt(sequence)
      iterator = await reader.iterator(range.partition, after, pace)
      continue
    }
    records.push(...page.records)
    // Behind the tip an empty page says nothing: the service gives some, with records after them.
    const isEnd = page.records.length === 0 && page.behindMs === 0
    emptyPages = isEnd ? emptyPages + 1 : 0
    iterator = page.next
  }
  return { range, blocks: records.length === 0 ? [] : [new KinesisBlock(range.partition, records)] }
}

function sequenceAt(sequence: string) {
  return { kind: 'sequence', sequence, sub: -1 } as const
}
