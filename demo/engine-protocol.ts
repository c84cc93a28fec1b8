// What the demo and its engine process say to each other.

import type { StreamEvent } from 'millrace'
import type { WordCountArgs } from './pipeline.ts'

/** Kinds of events that the engine passes on. */
export const FORWARDED = [
  'checkpoint-recovered',
  'batch-started',
  'batch-planned',
  'batch-ran',
  'batch-written',
  'batch-completed',
  'batches-skipped',
] as const

/** An event that the engine passes on. */
export type EngineEvent = Extract<StreamEvent, { kind: (typeof FORWARDED)[number] }>

/** The command line of the engine process, as JSON. */
export interface EngineArgs {
  readonly checkpoint: string
  readonly wordCount: WordCountArgs
}

export type FromEngine =
  | { readonly kind: 'started' }
  | { readonly kind: 'event'; readonly event: EngineEvent }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }

/** The one message to the engine: process what was received, then end. */
export const STOP = { kind: 'stop' }
