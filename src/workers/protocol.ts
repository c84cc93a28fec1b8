// What the threads of a run say to each other. Structured-clone data only: bytes in columns, no
// closures, no class instances but errors.

import type { MessagePort } from 'node:worker_threads'
import type { RecordColumns } from '../batch/record-columns.ts'
import type { BeatRequest } from '../checkpoint/lease.ts'
import type { CutLimits, PartitionPositions, ReceiverNews } from '../receivers/receiver.ts'
import type { SinkBatch } from '../sinks/sink.ts'
import type { WireError } from './error-wire.ts'
import type { PlannedSource } from './receiver-host.ts'

/** How a thread makes the graph of the pipeline: the module exports a GraphBuilder as default, and
 * OwnSinks as `sinks`. */
export interface GraphRecipe {
  readonly module: string
  /** Structured-cloneable; handed to the builder. */
  readonly input: unknown
}

/** A port of a thread to one worker. */
export interface Line {
  readonly worker: number
  readonly port: MessagePort
}

/** One source partition of a batch, as the workers are told of it. */
export interface PartNotice {
  readonly partition: string
  readonly owner: number
}

/** What a worker is asked. Each is answered once, under its id. */
export type WorkerRequest =
  | {
      readonly kind: 'begin'
      readonly recipe: GraphRecipe
      readonly workers: number
      readonly self: number
      readonly zeroTime: number
      readonly cacheBytesMax: number
      /** Bytes of the records that one attempt may send to the driver. */
      readonly resultBytesMax: number
      /** Sends the records of outputs to the driver though tasks write them. */
      readonly fetchAll: boolean
      readonly lines: readonly Line[]
      /** Where the records of the sources come from. */
      readonly blocks: MessagePort
    }
  /** An object of a snapshot, and entries of the log, with the worker's share of each. */
  | { readonly kind: 'restore'; readonly snapshot?: Uint8Array; readonly changes: Uint8Array[] }
  | {
      readonly kind: 'run'
      readonly attempt: number
      readonly batchId: number
      readonly time: number
      readonly traced: boolean
      /** The answer says what was changed. */
      readonly logged: boolean
      readonly sources: readonly (readonly PartNotice[] | undefined)[]
    }
  /** Writes what the last run gave for an output. */
  | {
      readonly kind: 'write'
      readonly outputId: number
      readonly batch: SinkBatch
      readonly ticket: unknown
    }
  /** Lets go of the places that tasks write to. */
  | { readonly kind: 'close-sinks' }
  | { readonly kind: 'freeze'; readonly freeze: number }
  /** The next slice of what was frozen: answered at once, also while a batch waits for others. */
  | { readonly kind: 'frozen-slice'; readonly freeze: number }
  | { readonly kind: 'slice'; readonly nodeId: number; readonly from: number; readonly to: number }

/** What a worker is told; not answered. */
export type WorkerNotice =
  | { readonly kind: 'abort'; readonly attempt: number }
  | { readonly kind: 'merge' }
  | { readonly kind: 'thaw'; readonly freeze: number }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'end' }

/** The answer to 'begin': what the graph is made of, without and with the text of closures. */
export interface BuiltGraph {
  readonly shape: readonly string[]
  readonly code: readonly string[]
}

/** Owned partitions of one output, and how many there are in all. Those that a task will write are
 * only counted. */
export interface OutputColumns {
  readonly partitions: number
  readonly parts: readonly (readonly [partition: number, RecordColumns | number])[]
}

/** The answer to 'run'. */
export interface RanColumns {
  readonly outputs: readonly (OutputColumns | undefined)[]
  readonly changes: Uint8Array | undefined
  readonly added: readonly (readonly [accumulator: string, n: number])[]
  readonly retriedCalls: number
  /** Bytes of the records that come with it. */
  readonly bytes: number
}

/** The answer to 'run' where the attempt failed. */
export interface RunFailed {
  readonly failed: WireError
  readonly outputId: number | undefined
  readonly retriedCalls: number
}

/** A kept batch, as the answer to 'slice' has it. */
export interface KeptColumns {
  readonly time: number
  readonly columns: OutputColumns
}

/** What the I/O thread is asked. */
export type IoRequest =
  | {
      readonly kind: 'open'
      readonly recipe: GraphRecipe
      readonly pipeline: string
      readonly workers: number
      readonly bufferBytesMax: number
      readonly lines: readonly Line[]
      /** Signs of life that the thread gives, where the run has a checkpoint. */
      readonly beat: BeatRequest | undefined
    }
  | { readonly kind: 'start'; readonly sourceId: number; readonly from: PartitionPositions }
  | { readonly kind: 'run' }
  | { readonly kind: 'cut'; readonly batchId: number; readonly limits: readonly CutLimits[] }
  | {
      readonly kind: 'replay'
      readonly batchId: number
      readonly planned: readonly PlannedSource[]
    }
  | { readonly kind: 'resend'; readonly from: number; readonly worker: number }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'rate'; readonly sourceId: number; readonly recordsPerSecond: number }
  | { readonly kind: 'stop' }

/** What the I/O thread is told; not answered. 'abort': the run ends, so that no receiver is to wait
 * for a batch that takes something. */
export interface IoOrder {
  readonly kind: 'abort'
}

/** ReceiverNews with its error as data. */
export type WireNews =
  | Exclude<ReceiverNews, { kind: 'receiver-restarted' }>
  | (Omit<Extract<ReceiverNews, { kind: 'receiver-restarted' }>, 'error'> & {
      readonly error: WireError
    })

/** What the I/O thread tells unasked. */
export type IoNotice =
  | {
      readonly kind: 'count'
      readonly sourceId: number
      readonly name: string
      readonly by: number
    }
  | { readonly kind: 'fail'; readonly sourceId: number; readonly error: WireError }
  | { readonly kind: 'news'; readonly sourceId: number; readonly news: WireNews }
  | {
      readonly kind: 'error'
      readonly sourceId: number
      readonly message: string
      readonly error: WireError
    }
  | {
      readonly kind: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: object
      readonly message: string
    }

/** Blocks of one source partition of a batch, on their way to the worker that owns it. */
export interface BlocksMessage {
  readonly batchId: number
  readonly sourceId: number
  readonly partition: string
  readonly blocks: readonly unknown[]
}
