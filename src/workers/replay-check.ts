// Whether what was read again is what a batch had: it goes on with that, or not at all.

import { StreamingError } from '../errors.ts'
import type { Position, SourceRange } from '../receivers/receiver.ts'
import type { BatchSources } from './executor.ts'

/** Checks that a replay gave what the plan recorded. */
export function checkReplay(
  source: string,
  planned: readonly SourceRange[],
  read: BatchSources[number],
): void {
  for (const range of planned) {
    const data = read?.find((candidate) => candidate.range.partition === range.partition)
    const { records, crc } = data?.range ?? { records: 0, crc: 0 }
    if (records === range.records && crc === range.crc) continue
    throw new StreamingError(
      'SOURCE_REPLAY_DIFFERS',
      `Cannot redo a batch from "${source}", partition "${range.partition}", after ` +
        `${shortened(range.after)} up to ${shortened(range.upTo)}: the log has ` +
        `${range.records} records with checksum ${range.crc}, the source now gives ` +
        `${records} with ${crc}; restore the source, or start with a new checkpoint`,
    )
  }
}

/** A position for a message: that of a source of files may name many. */
function shortened(position: Position): string {
  const text = JSON.stringify(position)
  return text.length <= 300 ? text : `${text.slice(0, 300)}…`
}
