// The demo's view of the engine process: starts it, kills it, stops it, and knows what it was
// doing.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type EngineArgs, type EngineEvent, type FromEngine, STOP } from './engine-protocol.ts'
import { pause } from './pause.ts'

/** What the engine was doing, by the last event that came from it. */
export type Phase = 'starting' | 'idle' | 'planning' | 'running' | 'sink' | 'commit'

/** A kill as it happened. */
export interface KillHit {
  readonly phase: Phase
  readonly pid: number
  /** The batch that was under way, or the last one; undefined before the process's first. */
  readonly batchId: number | undefined
}

export interface EngineListener {
  onEvent(event: EngineEvent): void
  /** A line that the engine wrote to its stderr. */
  onLine(line: string): void
}

const STOP_MS_MAX = 30_000
const DRAIN_MS_MAX = 2_000

/** The phase that begins with each event. */
const PHASE_AFTER = {
  'batch-started': 'planning',
  'batch-planned': 'running',
  'batch-ran': 'sink',
  'batch-written': 'commit',
  'batch-completed': 'idle',
} as const satisfies Record<string, Phase>

/** Gives the phase that begins with an event; undefined where it begins none. */
export function phaseAfter(kind: EngineEvent['kind']): Phase | undefined {
  return kind in PHASE_AFTER ? PHASE_AFTER[kind as keyof typeof PHASE_AFTER] : undefined
}

/** Runs one engine process at a time. */
export class EngineProcess {
  readonly #args: EngineArgs
  readonly #listener: EngineListener
  readonly #waiting = new Set<{ kind: string; resolve: () => void }>()
  readonly #failure = Promise.withResolvers<never>()
  #child: ChildProcess | undefined
  #expectedExit = false
  #phase: Phase = 'starting'
  #batchId: number | undefined

  constructor(args: EngineArgs, listener: EngineListener) {
    this.#args = args
    this.#listener = listener
    this.failed.catch(() => undefined)
  }

  /** Rejects once the engine failed, or ended although nobody asked it to. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Starts a process. It leads a process group, so that Ctrl-C in the terminal reaches the demo
   * alone. */
  start(): void {
    this.#phase = 'starting'
    this.#batchId = undefined
    this.#expectedExit = false
    const child = fork(
      fileURLToPath(new URL('engine.ts', import.meta.url)),
      [JSON.stringify(this.#args)],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true },
    )
    child.on('message', (message: FromEngine) => this.#receive(message))
    child.once('error', (error) => this.#failure.reject(error))
    this.#watch(child).catch((error: unknown) => this.#failure.reject(error))
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => this.#listener.onLine(line))
    }
    this.#child = child
  }

  /** Resolves with the next event of a kind, when the time is up, or once the signal aborts. */
  async reach(kind: EngineEvent['kind'], limitMs: number, signal: AbortSignal): Promise<void> {
    const reached = new AbortController()
    const waiter = { kind, resolve: () => reached.abort() }
    this.#waiting.add(waiter)
    await pause(limitMs, AbortSignal.any([reached.signal, signal]))
    this.#waiting.delete(waiter)
  }

  /** Kills the process with SIGKILL and tells what it was doing: what it said last counts, even
   * if that was still on its way to us. */
  async kill(): Promise<KillHit> {
    if (this.#child === undefined) return this.failed
    const child = this.#child
    this.#expectedExit = true
    const exited = exitOf(child)
    child.kill('SIGKILL')
    await exited
    await drained(child)
    this.#child = undefined
    return { phase: this.#phase, pid: child.pid ?? 0, batchId: this.#batchId }
  }

  /** Asks the process to process what it received and end. */
  async stop(): Promise<void> {
    if (this.#child === undefined) return this.failed
    const child = this.#child
    this.#expectedExit = true
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    const exited = exitOf(child)
    child.send(STOP)
    await exited
    clearTimeout(limit)
    await drained(child)
    this.#child = undefined
    if (child.exitCode === 0) return
    this.#failure.reject(new Error('The engine did not stop as it was asked to'))
    await this.failed
  }

  /** Ends the process at once, if there is one. */
  abandon(): void {
    this.#expectedExit = true
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #receive(message: FromEngine): void {
    if (message.kind === 'started') this.#phase = 'idle'
    if (message.kind === 'failed') {
      const code = message.code === undefined ? '' : `${message.code}: `
      this.#failure.reject(new Error(`The engine failed: ${code}${message.message}`))
    }
    if (message.kind === 'event') this.#observe(message.event)
  }

  #observe(event: EngineEvent): void {
    this.#phase = phaseAfter(event.kind) ?? this.#phase
    if ('batchId' in event) this.#batchId = event.batchId
    for (const waiter of this.#waiting) if (waiter.kind === event.kind) waiter.resolve()
    this.#listener.onEvent(event)
  }

  async #watch(child: ChildProcess): Promise<void> {
    await exitOf(child)
    await drained(child)
    if (this.#child !== child || this.#expectedExit) return
    this.#child = undefined
    const how = child.signalCode ?? `exit code ${child.exitCode}`
    this.#failure.reject(new Error(`The engine ended by itself (${how})`))
  }
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Waits until what an ended process said last has arrived. */
async function drained(child: ChildProcess): Promise<void> {
  if (!child.connected) return
  const done = new AbortController()
  await Promise.race([once(child, 'disconnect', done), pause(DRAIN_MS_MAX, done.signal)])
  done.abort()
}
