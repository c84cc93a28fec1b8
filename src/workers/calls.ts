// Questions and answers over a port: each question has an id, its answer bears it.

import type { Transferable } from 'node:worker_threads'
import { fromWire, toWire, type WireError } from './error-wire.ts'

/** What goes over the port: a question, its answer, or something told unasked. */
export type Message<Request, Notice> =
  | { readonly type: 'call'; readonly id: number; readonly request: Request }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly error: WireError }
  | { readonly type: 'notice'; readonly notice: Notice }

/** The part of a port or a worker that calls need. */
export interface Poster {
  postMessage(message: unknown, transfer?: readonly Transferable[]): void
}

/** The side that asks. */
export class Caller<Request, Notice> {
  readonly #port: Poster
  readonly #open = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void }
  >()
  #calls = 0
  #dead: { readonly error: Error } | undefined

  constructor(port: Poster) {
    this.#port = port
  }

  /** Asks, and resolves with the answer. The number of open calls is bounded by the callers: each
   * awaits its own. */
  call<R>(request: Request, transfer: readonly Transferable[] = []): Promise<R> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead.error)
    const id = this.#calls++
    return new Promise<unknown>((resolve, reject) => {
      this.#open.set(id, { resolve, reject })
      this.#port.postMessage({ type: 'call', id, request }, transfer)
    }) as Promise<R>
  }

  tell(notice: Notice, transfer: readonly Transferable[] = []): void {
    if (this.#dead === undefined) this.#port.postMessage({ type: 'notice', notice }, transfer)
  }

  /** Takes an answer in. */
  take(message: Message<never, unknown>): void {
    if (message.type !== 'answer' && message.type !== 'refusal') return
    const open = this.#open.get(message.id)
    this.#open.delete(message.id)
    if (message.type === 'answer') open?.resolve(message.value)
    else open?.reject(fromWire(message.error))
  }

  /** Nobody answers any more: open calls and later ones reject with `error`. */
  die(error: Error): void {
    this.#dead ??= { error }
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
  }
}

/** What an answerer gives: a value, and the memory to hand over with it. */
export interface Answer {
  readonly value: unknown
  readonly transfer?: readonly Transferable[]
}

/** Answers one question. */
export async function answer<Request>(
  port: Poster,
  { id, request }: { readonly id: number; readonly request: Request },
  give: (request: Request) => Promise<Answer>,
): Promise<void> {
  try {
    const { value, transfer = [] } = await give(request)
    port.postMessage({ type: 'answer', id, value }, transfer)
  } catch (error) {
    port.postMessage({ type: 'refusal', id, error: toWire(error) })
  }
}
