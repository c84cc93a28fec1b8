// What a stream has dropped unread. A gap exists where what is known to have been read ends before
// the oldest record that the stream keeps. A sequence number alone says nothing: that of an idle
// shard is old, and nothing is missing.

import { StreamingError } from '../../errors.ts'
import type { ShardNews } from '../../events.ts'

/** Records that may have been lost unread: those of a shard that arrived between two times. */
export interface Gap {
  readonly shard: string
  readonly kind: 'dropped' | 'vanished' | 'made anew'
  /** Epoch milliseconds. */
  readonly fromMs: number
  readonly toMs: number
}

const WHAT: Readonly<Record<Gap['kind'], string>> = {
  dropped: 'the stream keeps records for a shorter time, and has dropped them',
  vanished: 'the stream has no such shard any more',
  'made anew': 'the stream was deleted, and another was made under its name',
}

/** The error that a gap ends the run with. */
export function gapError(stream: string, gap: Gap): StreamingError {
  return new StreamingError(
    'SOURCE_GAP',
    `Cannot go on with shard "${gap.shard}" of stream "${stream}": ${lostOf(gap)}; to go on ` +
      `without it, set onGap to 'earliest' (with the oldest record that is left) or 'skip' (with ` +
      `what arrives from now on), or begin with a new checkpoint`,
  )
}

/** The error of a batch that was planned and cannot be read again. */
export function replayGapError(stream: string, shard: string, upToMs: number): StreamingError {
  return new StreamingError(
    'SOURCE_GAP',
    `Cannot run a planned batch again: records of shard "${shard}" of stream "${stream}" that ` +
      `arrived up to ${timeOf(upToMs)} are in it, and are gone (${WHAT.dropped}); begin with a ` +
      'new checkpoint',
  )
}

/** The event and the message of a gap that the pipeline goes on after. */
export function gapNews(stream: string, gap: Gap, onGap: 'skip' | 'earliest'): ShardNews {
  const goesOn = onGap === 'skip' ? 'what arrives from now on' : 'the oldest record that is left'
  const message =
    `Shard "${gap.shard}" of stream "${stream}" goes on with ` + `${goesOn}: ${lostOf(gap)}`
  const { shard, fromMs: fromTime, toMs: toTime } = gap
  return { kind: 'gap-passed', shard, fromTime, toTime, message }
}

function lostOf({ kind, fromMs, toMs }: Gap): string {
  return `what arrived from ${timeOf(fromMs)} to ${timeOf(toMs)} is lost unread (${WHAT[kind]})`
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
