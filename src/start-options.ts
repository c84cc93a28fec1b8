// What `start()` is given, and what that comes to once it is checked: before anything is opened.

import { availableParallelism } from 'node:os'
import { oneOf, shown, wholeWithin } from './allowed-values.ts'
import type { Takeover } from './checkpoint/log.ts'
import type { Clock } from './clock.ts'
import type { Duration } from './duration.ts'
import { ConfigError, messageOf } from './errors.ts'
import type { Logger, StreamEvent } from './events.ts'
import { isPipeline } from './import-pipeline.ts'
import type { PipelineOptions } from './scheduler/options.ts'
import type { Until } from './scheduler/scheduler.ts'
import { type StopSettings, stopSettings } from './stop-on.ts'

/** How `start` runs a pipeline. */
export interface StartOptions<A> {
  /** Handed to the pipeline's build function; must be structured-cloneable. */
  readonly args?: A
  /** Options that replace the pipeline's own. */
  readonly overrides?: Partial<PipelineOptions>
  /** 'caught-up': ends once all that had arrived before start() is committed. @default 'stopped' */
  readonly until?: 'stopped' | 'caught-up'
  /** Stops the run gracefully when it aborts. A start that is under way then, or waits for another
   * owner, is given up: it rejects with START_STOPPED as soon as what a closure or a sink has begun
   * is done, and leaves the rest to the next start. */
  readonly signal?: AbortSignal
  /** Signals of the system on which the run stops as `stop()` does: what was received is processed
   * and committed, and the checkpoint is let go, so that a successor starts at once. The process
   * ends when nothing else keeps it; a second signal ends it by force. @default none */
  readonly stopOn?: readonly NodeJS.Signals[]
  /** How long that may take. Then the run stops at once, which takes seconds; what no batch has
   * taken, and a batch that does not end, waits for the successor. @default '25s', which is within
   * the 30 s of Kubernetes */
  readonly stopWithin?: Duration
  /** Called for each event from the very first on: those of the start too, such as
   * `checkpoint-recovered` and the batches that are redone. */
  readonly onEvent?: (event: StreamEvent) => void
  /** Any logger with debug, info, warn and error. @default pino at level 'warn' on stderr */
  readonly logger?: Logger
  /** What to do while another process owns the checkpoint: wait until it lets go or gives no sign
   * of life for 10 s, take over at once, or reject. @default 'wait' */
  readonly takeover?: 'wait' | 'force' | 'refuse'
  /** Runs each batch twice and stops with RESULTS_DIFFER where the two differ: for tests, since it
   * costs as much again. @default false */
  readonly verify?: boolean
  /** The engine's time; for tests. @default the machine's */
  readonly clock?: Clock
}

/** As StartOptions, for a pipeline in a module. */
export interface StartModuleOptions<A> extends StartOptions<A> {
  /** Worker threads, at most 256: 0 runs inline, 'auto' takes as many as there are cores, and at
   * most 8: each thread costs memory and a part of every shuffle, so more are asked for by their
   * number. @default 'auto' */
  readonly workers?: number | 'auto'
  /** The receivers of a run on workers have a thread of their own, where time is the machine's;
   * false: they share the thread that called start(), and its clock. @default true, and false with
   * a `clock` */
  readonly ioThread?: boolean
  /** Megabytes of a semi-space of each worker and of the I/O thread: V8's young generation holds
   * three. Higher costs memory and collects less often, at most
   * 1,024. @default 16 */
  readonly semiSpaceMb?: number
  /** Name of the export that holds the pipeline. @default 'default' */
  readonly export?: string
}

/** The options with their defaults, checked. */
export interface StartSettings {
  /** 0: the pipeline runs in this thread. */
  readonly workers: number
  readonly until: Until
  readonly takeover: Takeover
  readonly stop: StopSettings
}

const WORKERS_MAX = 256
const AUTO_WORKERS_MAX = 8
const SEMI_SPACE_MB_MAX = 1_024

/** Checks what `start()` is given. Throws ConfigError. */
export function startSettings<A>(what: unknown, options: StartModuleOptions<A>): StartSettings {
  checkWhat(what)
  const workers = workersOf(what, options.workers)
  if (workers > 0) checkSendable(options.args)
  wholeWithin(options.semiSpaceMb ?? 1, 'semiSpaceMb', 1, SEMI_SPACE_MB_MAX)
  return {
    workers,
    until: oneOf(options.until ?? 'stopped', ['stopped', 'caught-up'], 'until'),
    takeover: oneOf(options.takeover ?? 'wait', ['wait', 'force', 'refuse'], 'takeover'),
    stop: stopSettings(options),
  }
}

function checkWhat(what: unknown): void {
  if (what instanceof URL || isPipeline(what)) return
  if (typeof what !== 'string') {
    throw new ConfigError(
      `Cannot start ${shown(what)}: give start() what pipeline() gives, or the URL of the module ` +
        `that exports it, such as new URL('./pipeline.ts', import.meta.url)`,
    )
  }
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(what)
  const url = isUrl ? `new URL(${shown(what)})` : `new URL(${shown(what)}, import.meta.url)`
  throw new ConfigError(
    `Cannot start ${shown(what)}: start() takes the URL of a module, not a text; give it ${url}`,
  )
}

/** The number of worker threads that the options ask for. */
function workersOf(what: unknown, workers: number | 'auto' | undefined): number {
  if (!(what instanceof URL)) {
    if (workers === undefined || workers === 0) return 0
    throw new ConfigError(
      `Cannot start a pipeline object on ${workers} workers: each worker imports the pipeline's ` +
        `module; export it, and give start() the URL of the module`,
    )
  }
  if (workers === undefined || workers === 'auto') {
    return Math.min(availableParallelism(), AUTO_WORKERS_MAX)
  }
  if (Number.isInteger(workers) && workers >= 0 && workers <= WORKERS_MAX) return workers
  throw new ConfigError(
    `Cannot start on ${workers} workers: it must be 'auto' or a whole number from 0 to ` +
      `${WORKERS_MAX}`,
  )
}

/** Every worker gets a copy of the arguments. */
function checkSendable(args: unknown): void {
  const cause = refusalToClone(args)
  if (cause === undefined) return
  const properties = typeof args === 'object' && args !== null ? Object.entries(args) : []
  const found = properties.find(([, value]) => refusalToClone(value) !== undefined)
  const place = found === undefined ? shown(args) : `property "${found[0]}"`
  throw new ConfigError(
    `Cannot send args to workers: ${place} must be structured-cloneable (${messageOf(cause)}); ` +
      `leave out functions and what holds them, and make those in the pipeline's module, or ` +
      `start with workers: 0`,
    { cause },
  )
}

/** Why a value cannot be sent to a thread; undefined if it can. */
function refusalToClone(value: unknown): unknown {
  try {
    structuredClone(value)
    return undefined
  } catch (error) {
    return error
  }
}
