// A thread as the driver sees it: asked, told, and noticed when it ends.

import type { Transferable } from 'node:worker_threads'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { StreamingError } from '../errors.ts'
import { Caller, type Message } from './calls.ts'
import { stackOf } from './stack-of.ts'

/** What a thread is for, and what it may use. */
export interface ThreadOptions<Notice> {
  /** Names the thread in messages and debuggers, for example `worker 1`. */
  readonly name: string
  readonly entry: URL
  /** Another thread takes its place when it ends. */
  readonly replaced: boolean
  /** Megabytes of a semi-space of V8's young generation. @default 16 */
  readonly semiSpaceMb?: number | undefined
  /** Called with what the thread tells unasked. */
  readonly onNotice?: (notice: Notice) => void
}

const STACK_WITHIN_MS = 1_000
const SEMI_SPACE_MB = 16
/** V8's young generation holds three semi-spaces. */
const SEMI_SPACES = 3

/** One thread. */
export class Thread<Request, Notice, Told = never> {
  readonly name: string
  /** Resolves with the reason when the thread has ended, whatever ended it. */
  readonly ended: Promise<StreamingError>
  readonly #worker: Worker
  readonly #caller: Caller<Request, Notice>
  #why: unknown

  constructor(options: ThreadOptions<Told>) {
    const { name, entry, semiSpaceMb = SEMI_SPACE_MB, onNotice } = options
    this.name = name
    const own: WorkerOptions = {
      name: `millrace ${name}`,
      resourceLimits: { maxYoungGenerationSizeMb: semiSpaceMb * SEMI_SPACES },
    }
    this.#worker = new Worker(entry, own)
    this.#caller = new Caller<Request, Notice>(this.#worker)
    this.#worker.on('message', (message: Message<never, Told>) => {
      if (message.type === 'notice') onNotice?.(message.notice)
      else this.#caller.take(message)
    })
    this.ended = new Promise((resolve) => {
      this.#worker.on('error', (error) => {
        this.#why ??= error
      })
      this.#worker.on('exit', (code) => {
        const error = died(options, code, this.#why)
        this.#caller.die(error)
        resolve(error)
      })
    })
  }

  call<R>(request: Request, transfer?: readonly Transferable[]): Promise<R> {
    return this.#caller.call<R>(request, transfer)
  }

  tell(notice: Notice, transfer?: readonly Transferable[]): void {
    this.#caller.tell(notice, transfer)
  }

  /** Lets the process end though the thread is idle, or not. */
  keepAlive(alive: boolean): void {
    if (alive) this.#worker.ref()
    else this.#worker.unref()
  }

  /** The call stack of the thread; undefined if it waits. */
  stack(): Promise<string | undefined> {
    return stackOf(this.#worker.threadId, STACK_WITHIN_MS)
  }

  /** Ends the thread; `why` becomes the reason that `ended` gives. */
  async terminate(why?: Error): Promise<void> {
    this.#why ??= why
    await this.#worker.terminate()
  }
}

function died(
  { name, replaced }: Pick<ThreadOptions<never>, 'name' | 'replaced'>,
  code: number,
  cause: unknown,
): StreamingError {
  const why = cause instanceof Error ? cause.message : `exit code ${code}`
  return new StreamingError(
    'WORKER_DIED',
    `Cannot go on in ${name}: its thread ended (${why}); look for process.exit, native crashes ` +
      `and memory use in the pipeline's closures`,
    { cause, retryable: replaced },
  )
}
