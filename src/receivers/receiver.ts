// The contract between a source of records and the engine. A source is a description; opening it
// gives a receiver, which buffers what arrives and hands the engine one contiguous range a
// partition a batch.

import type { Block } from '../batch/block.ts'
import type { Clock } from '../clock.ts'
import type { Logger, ShardNews } from '../events.ts'

/** Where in a source partition a reader stands. It says which records were taken: those up to and
 * with it.
 *
 * `sub` counts the user records inside one Kinesis sequence number (KPL aggregation); -1 means
 * all of it. */
export type Position =
  | { readonly kind: 'TRIM_HORIZON' }
  | { readonly kind: 'timestamp'; readonly timestampMs: number }
  | { readonly kind: 'sequence'; readonly sequence: string; readonly sub: number }
  | { readonly kind: 'END' }

/** What a batch takes from one source partition: the records after `after`, up to and with
 * `upTo`. */
export interface SourceRange {
  /** Name of the source partition, for example a shard id; stable across restarts. */
  readonly partition: string
  /** The records after it. */
  readonly after: Position
  /** The last record is the one at it. */
  readonly upTo: Position
  /** How many records. */
  readonly records: number
  /** CRC-32 over the records' bytes in order; a replay that differs stops the pipeline. */
  readonly crc: number
  /** All that had arrived before this time, epoch milliseconds, is at `upTo` or before it. A range
   * without records may come only to say so of a source where nothing arrives. */
  readonly caughtUpAt: number
  /** Partitions that ended before this one began (a reshard); empty for the first ones. */
  readonly parents: readonly string[]
  /** What the partition is part of, where another may come under the same name: the creation time
   * of a stream. */
  readonly origin?: string
  /** How long the source kept records then, milliseconds, where that can change; not given where it
   * was as short as it can be. */
  readonly retentionMs?: number
  /** Partitions that have ended, that no range will name again, and whose source has dropped them:
   * the log forgets their positions with this range. */
  readonly forgotten?: readonly string[]
}

/** A range with its records. */
export interface RangeData {
  /** What the log keeps of it. */
  readonly range: SourceRange
  /** The records, in order. */
  readonly blocks: readonly Block<unknown>[]
}

/** The position of each known partition after the last logged batch. */
export type PartitionPositions = readonly {
  readonly partition: string
  readonly position: Position
  readonly caughtUpAt: number
  readonly parents: readonly string[]
  readonly origin?: string
  readonly retentionMs?: number
}[]

/** What happens to a receiver: its stops and starts, and the shards of its stream. */
export type ReceiverNews =
  | ShardNews
  | { readonly kind: 'receiver-started' }
  | { readonly kind: 'receiver-stopped' }
  | {
      /** It stops now, and starts again after a delay. */
      readonly kind: 'receiver-restarted'
      readonly message: string
      readonly error: unknown
      readonly delayMs: number
    }

/** What a receiver gets from the engine. */
export interface ReceiverContext {
  /** Name of the pipeline. */
  readonly pipeline: string
  /** Ordinal of the source in the pipeline, from 0; the same in each run on a checkpoint. */
  readonly sourceId: number
  /** The engine's time; a receiver has no other. */
  readonly clock: Clock
  /** Takes what an operator of the service should know. */
  readonly logger: Logger
  /** Aborts when the pipeline stops; a receiver ends its own work then. */
  readonly signal: AbortSignal
  /** How many bytes of records may wait in the receiver before it stops reading. */
  readonly bufferBytesMax: number
  /** Called when the receiver cannot go on; the pipeline stops with this error. */
  fail(error: unknown): void
  /** Tells of an error that the receiver lives with: it is logged, and told as the event
   * `receiver-error`. */
  reportError(message: string, error?: unknown): void
  /** Tells of a stop and a start that the receiver made by itself, or of a shard. The engine tells
   * of its first start and of its end. */
  tell(news: ReceiverNews): void
  /** Counts something worth seeing, such as a throttle or a retry. */
  count(name: string, by?: number): void
}

/** How much a batch takes of one source. */
export interface CutLimits {
  /** Bytes of records; one record may have more. */
  readonly bytesMax: number
  /** Records, at least 1; infinite without a rate. */
  readonly recordsMax: number
  /** What arrived later than this, epoch milliseconds, belongs to a later batch: the time of a
   * batch that is run late. Not given for one on time. For sources that know when records
   * arrived. */
  readonly arrivedBy?: number
}

/** Receives the records of one source for one run.
 *
 * Implementers owe:
 * - `start` resolves once the source has answered, or rejects with an error that says what to
 *   check. It gives the exact position from which each partition will be read, symbolic ones
 *   (LATEST) resolved, and reads no record: the engine makes these positions durable before `run`;
 * - `run` begins to read from the positions that `start` gave; the first range of a partition is
 *   after its position. A partition found later starts at TRIM_HORIZON;
 * - `cut` gives each record exactly once, in the partition's order; ranges of one partition follow
 *   each other without a hole; partitions are ordered by name, except that a child comes after its
 *   parents; a partition whose parents' END is not in an earlier cut has no range;
 * - `replay` gives the same records for the same ranges, whatever was cut before; none, where the
 *   source is not replayable.
 * Callers owe: `start` first and once, with the position of every partition that the log knows,
 * ended ones too; `run` once, after `start` has resolved; `prepare`, where there is one, before
 * each `cut` and with the same limits; neither while another one runs. `replay` may come before
 * `run`, `stop` at any time. */
export interface Receiver {
  /** Asks the source what there is. Gives every partition of `from` and every new one, with its
   * position; one of `from` that is not given is forgotten. */
  start(from: PartitionPositions): Promise<PartitionPositions>
  /** Begins to read. Synchronous: what goes wrong afterwards arrives at `context.fail`. */
  run(): void
  /** Brings in what belongs to the batch that is cut next. For a source that is asked once a batch,
   * such as a folder; one that reads by itself leaves this out. What goes wrong goes to
   * `context.fail`. After `stop` it brings in nothing. */
  prepare?(limits: CutLimits): Promise<void>
  /** Takes what has arrived, at most `bytesMax` (but at least one record, if any) and `recordsMax`
   * records, at least 1. Synchronous: a cut is a point in time. Undefined: there is no batch at
   * this time, which is not the same as an empty one. */
  cut(limits: CutLimits): readonly RangeData[] | undefined
  /** Takes no more than this many records a second from now on. For receivers that can slow their
   * source down: a source that is not replayable and has this is limited here, every other one
   * by the `recordsMax` of its cuts. Called before `run` where the options give a first rate. */
  setRate?(recordsPerSecond: number): void
  /** Reads the ranges of a logged batch again. */
  replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]>
  /** True once everything that had arrived before `start` was called is in a cut or in the
   * buffer. */
  caughtUp(): boolean
  /** Bytes that wait in the buffer. */
  bufferedBytes(): number
  /** How far behind the newest record the reader is, in milliseconds; undefined where the source
   * does not say. */
  lagMs(): number | undefined
  /** Stops reading. Resolves once nothing more enters the buffer: a graceful stop cuts after it. */
  stop(): Promise<void>
}

/** Describes where records come from. `receive()` makes a stream of it; nothing is opened before
 * `start()`. */
export interface Source<T> {
  /** Short name for logs, errors and the checkpoint, for example `kinesis:lines`. The same at each
   * start: a replayable source with another name is another one. */
  readonly name: string
  /** True if `replay` works after a restart; otherwise the guarantee ends at the process. */
  readonly replayable: boolean
  /** Makes the receiver of one run; opens nothing before its `start`. */
  open(context: ReceiverContext): Receiver
  /** Makes a block of what its `toParcel` gave in another thread. */
  fromParcel?(content: unknown): Block<T>
  /** Only carries the type of the records. */
  readonly produces?: T
}
