import type { RangeData, SourceRange } from '../receiver.ts'
import { KinesisBlock, type ReceivedRecord } from './kinesis-record.ts'
import type { StreamReader } from './stream-reader.ts'

const EMPTY_PAGES_MAX = 50

/** Reads the records of a logged range again: those after `after`, as many as were logged, up to
 * `upTo`. The engine compares count and checksum with the log. */
export async function replayRange(
  reader: StreamReader,
  range: SourceRange,
  pause: () => Promise<void>,
): Promise<RangeData> {
  const records: ReceivedRecord[] = []
  let emptyPages = 0
  let iterator: string | undefined =
    range.records === 0 ? undefined : await reader.iterator(range.partition, range.after)
  while (iterator !== undefined && records.length < range.records && emptyPages < EMPTY_PAGES_MAX) {
    const page = await reader.read(iterator)
    if (page === undefined) {
      const sequence = records.at(-1)?.sequenceNumber
      const after = sequence === undefined ? range.after : sequenceAt(sequence)
      iterator = await reader.iterator(range.partition, after)
      continue
    }
    records.push(...page.records)
    emptyPages = page.records.length === 0 ? emptyPages + 1 : 0
    iterator = page.next
    if (records.length < range.records) await pause()
  }
  const wanted = records.slice(0, range.records)
  return { range, blocks: wanted.length === 0 ? [] : [new KinesisBlock(range.partition, wanted)] }
}

function sequenceAt(sequence: string) {
  return { kind: 'sequence', sequence, sub: -1 } as const
}
