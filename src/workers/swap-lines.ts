// A worker's lines to the others: a port to each, over which columns go directly.
//
// Always: a message bears its attempt and the ordinal of its swap within it. Those of an attempt
// that is over are dropped; those that come early wait.

import type { MessagePort } from 'node:worker_threads'
import type { Parcel, Peers } from '../plan/peers.ts'
import type { Line } from './protocol.ts'

interface SwapMessage {
  readonly attempt: number
  readonly swap: number
  readonly content: unknown
}

interface Waiting {
  readonly from: readonly number[]
  resolve(contents: readonly unknown[]): void
  reject(error: unknown): void
}

/** Swaps parcels with the other workers of a run. */
export class SwapLines implements Peers {
  readonly workers: number
  readonly self: number
  readonly #ports = new Map<number, MessagePort>()
  /** What has arrived for the current attempt and later ones, by worker. */
  readonly #arrived = new Map<number, SwapMessage[]>()
  #attempt = -1
  #swap = 0
  /** The newest attempt that was given up; it may be given up before it begins here. */
  #aborted: { readonly attempt: number; readonly error: Error } | undefined
  #waiting: Waiting | undefined

  constructor(workers: number, self: number, lines: readonly Line[]) {
    this.workers = workers
    this.self = self
    for (const line of lines) this.connect(line)
  }

  /** Takes a line to a worker; one to a worker that was replaced takes the place of the old. */
  connect({ worker, port }: Line): void {
    this.#ports.get(worker)?.close()
    this.#ports.set(worker, port)
    this.#arrived.set(worker, [])
    port.on('message', (message: SwapMessage) => {
      if (this.#ports.get(worker) !== port) return
      if (message.attempt < this.#attempt) return
      this.#arrived.get(worker)?.push(message)
      this.#settle()
    })
  }

  /** Begins an attempt: what is left of earlier ones is dropped. */
  begin(attempt: number): void {
    this.#attempt = attempt
    this.#swap = 0
    this.#waiting = undefined
    for (const [worker, messages] of this.#arrived) {
      this.#arrived.set(
        worker,
        messages.filter((message) => message.attempt >= attempt),
      )
    }
  }

  /** Gives up an attempt: nobody waits for a worker that failed. True if it is under way. */
  abort(attempt: number, error: Error): boolean {
    if (attempt < this.#attempt) return false
    this.#aborted = { attempt, error }
    if (attempt !== this.#attempt) return false
    this.#waiting?.reject(error)
    this.#waiting = undefined
    return true
  }

  swap(
    parcels: readonly (Parcel | undefined)[],
    from: readonly number[],
  ): Promise<readonly unknown[]> {
    if (this.#aborted?.attempt === this.#attempt) return Promise.reject(this.#aborted.error)
    const attempt = this.#attempt
    const swap = this.#swap++
    parcels.forEach((parcel, worker) => {
      if (parcel === undefined || worker === this.self) return
      const message: SwapMessage = { attempt, swap, content: parcel.content }
      this.#ports.get(worker)?.postMessage(message, [...parcel.buffers])
    })
    if (from.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#waiting = { from, resolve, reject }
      this.#settle()
    })
  }

  throwIfGivenUp(): void {
    if (this.#aborted?.attempt === this.#attempt) throw this.#aborted.error
  }

  close(): void {
    for (const port of this.#ports.values()) port.close()
  }

  #settle(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const due = this.#swap - 1
    const isDue = ({ attempt, swap }: SwapMessage) => attempt === this.#attempt && swap === due
    const ready = waiting.from.every((worker) => this.#arrived.get(worker)?.some(isDue))
    if (!ready) return
    const contents: unknown[] = []
    for (const worker of waiting.from) {
      const messages = this.#arrived.get(worker) ?? []
      contents[worker] = messages.splice(messages.findIndex(isDue), 1)[0]?.content
    }
    this.#waiting = undefined
    waiting.resolve(contents)
  }
}
