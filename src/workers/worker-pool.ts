// The worker threads of a run, with a line between each two of them.

import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads'
import type { StreamingError } from '../errors.ts'
import type { BuiltGraph, Line, WorkerNotice, WorkerRequest } from './protocol.ts'
import { Thread } from './thread.ts'

type WorkerThread = Thread<WorkerRequest, WorkerNotice>
type Begin = Extract<WorkerRequest, { kind: 'begin' }>

/** What all workers of a run begin with. */
export type CommonBegin = Pick<
  Begin,
  'recipe' | 'zeroTime' | 'cacheBytesMax' | 'resultBytesMax' | 'fetchAll'
>

/** Gives a port over which blocks come to a worker; called again for one that was replaced. */
export type BlockPorts = (worker: number) => MessagePort

/** Threads that a run uses. */
export class WorkerPool {
  readonly #threads: WorkerThread[]
  readonly #make: (worker: number) => WorkerThread
  #begin: (CommonBegin & { readonly blocks: BlockPorts }) | undefined

  private constructor(workers: number, make: (worker: number) => WorkerThread) {
    this.#make = make
    this.#threads = Array.from({ length: workers }, (_, worker) => make(worker))
  }

  /** Starts the threads; they run nothing before `begin`. */
  static start(workers: number, semiSpaceMb?: number): WorkerPool {
    const entry = entryUrl()
    const common = { entry, semiSpaceMb, replaced: true }
    return new WorkerPool(workers, (n) => new Thread({ name: `worker ${n}`, ...common }))
  }

  get size(): number {
    return this.#threads.length
  }

  /** Begins a run on all threads; gives what each built. */
  async begin(common: CommonBegin, blocks: BlockPorts): Promise<BuiltGraph[]> {
    this.#begin = { ...common, blocks }
    const lines: Line[][] = this.#threads.map(() => [])
    for (let a = 0; a < this.size; a++) {
      for (let b = a + 1; b < this.size; b++) {
        const { port1, port2 } = new MessageChannel()
        lines[a]?.push({ worker: b, port: port1 })
        lines[b]?.push({ worker: a, port: port2 })
      }
    }
    return Promise.all(lines.map((own, worker) => this.#beginOne(worker, own)))
  }

  /** Asks every worker. */
  callAll<R>(request: WorkerRequest): Promise<R[]> {
    return Promise.all(this.#threads.map((thread) => thread.call<R>(request)))
  }

  /** Asks one worker. */
  call<R>(worker: number, request: WorkerRequest, transfer?: readonly Transferable[]): Promise<R> {
    return this.#thread(worker).call<R>(request, transfer)
  }

  tellAll(notice: WorkerNotice): void {
    for (const thread of this.#threads) thread.tell(notice)
  }

  /** Puts a new thread in the place of one that ended, or ends by this. */
  async replace(worker: number): Promise<void> {
    await this.#thread(worker).terminate()
    this.#threads[worker] = this.#make(worker)
    const lines: Line[] = []
    this.#threads.forEach((other, n) => {
      if (n === worker) return
      const { port1, port2 } = new MessageChannel()
      lines.push({ worker: n, port: port1 })
      other.tell({ kind: 'line', line: { worker, port: port2 } }, [port2])
    })
    await this.#beginOne(worker, lines)
  }

  /** Resolves with the error of the worker's thread when that has ended. */
  endOf(worker: number): Promise<StreamingError> {
    return this.#thread(worker).ended
  }

  /** The call stack of a worker; undefined if it waits. */
  stackOf(worker: number): Promise<string | undefined> {
    return this.#thread(worker).stack()
  }

  /** Ends one worker's thread. */
  terminate(worker: number, why: Error): Promise<void> {
    return this.#thread(worker).terminate(why)
  }

  /** Lets the process end though the threads wait, or not. */
  keepAlive(alive: boolean): void {
    for (const thread of this.#threads) thread.keepAlive(alive)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #thread(worker: number): WorkerThread {
    const thread = this.#threads[worker]
    if (thread === undefined) throw new Error(`millrace bug: there is no worker ${worker}`)
    return thread
  }

  #beginOne(worker: number, lines: readonly Line[]): Promise<BuiltGraph> {
    const begin = this.#begin
    if (begin === undefined) throw new Error('millrace bug: the pool has not begun')
    const { blocks: blockPorts, ...common } = begin
    const blocks = blockPorts(worker)
    const transfer = [...lines.map(({ port }) => port), blocks]
    const place = { workers: this.size, self: worker, lines, blocks }
    return this.#thread(worker).call({ kind: 'begin', ...common, ...place }, transfer)
  }
}

/** The entry of a worker, beside this file and with its ending: sources run as they are. */
function entryUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./worker-entry.${ending}`, import.meta.url)
}
