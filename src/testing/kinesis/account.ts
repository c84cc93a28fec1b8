// All streams of the account. It changes by `Change`s alone.

import { present } from '../../assert.ts'
import type { Change, Put } from './changes.ts'
import type { StoredRecord } from './shard.ts'
import { Stream } from './stream.ts'

/** Whose streams these are. */
export interface AccountPlace {
  readonly region: string
  readonly accountId: string
}

/** The streams of one account in one region. */
export class Account {
  readonly place: AccountPlace
  readonly #streams = new Map<string, Stream>()
  /** Of streams that are gone: the earliest creation time of the next one with the name. */
  readonly #creatableFrom = new Map<string, number>()

  constructor(place: AccountPlace) {
    this.place = place
  }

  /** The ARN of the stream with this name. */
  arnOf(stream: string): string {
    const { region, accountId } = this.place
    const partition = region.startsWith('cn-') ? 'aws-cn' : 'aws'
    return `arn:${partition}:kinesis:${region}:${accountId}:stream/${stream}`
  }

  /** The stream with this name, as it is now. */
  stream(name: string, nowMs: number): Stream | undefined {
    const stream = this.#streams.get(name)
    if (stream === undefined || stream.settle(nowMs)) return stream
    this.#forget(stream)
    return undefined
  }

  /** All streams as they are now, by name. */
  streams(nowMs: number): Stream[] {
    const names = [...this.#streams.keys()].sort(byCodeUnits)
    return names.flatMap((name) => this.stream(name, nowMs) ?? [])
  }

  /** Creation time of a stream that is created now: a name never has the same one twice. */
  creationTime(name: string, nowMs: number): number {
    return Math.max(Math.floor(nowMs), this.#creatableFrom.get(name) ?? 0)
  }

  /** Applies a change. */
  apply(change: Change): void {
    if (change.kind === 'create') {
      this.stream(change.stream, change.atMs)
      this.add(new Stream(change, this.arnOf(change.stream)))
    } else if (change.kind === 'put') {
      this.put(change)
    } else if (change.kind === 'delete') {
      this.#known(change).delete(change.atMs + change.delayMs)
    } else {
      this.#known(change).update(change)
    }
    this.stream(change.stream, change.atMs)
  }

  /** Applies a put and gives what was stored. */
  put(change: Put): StoredRecord[] {
    return this.#known(change).put(change)
  }

  /** Adds a stream that is made already. */
  add(stream: Stream): void {
    this.#streams.set(stream.name, stream)
  }

  #known({ stream, atMs }: Change): Stream {
    return present(this.stream(stream, atMs), `Stream "${stream}"`)
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.name)
    const last = Math.max(0, ...stream.shards.map(({ described }) => described.createdSecs))
    const from = (Math.max(last, Math.floor(stream.createdMs / 1_000)) + 1) * 1_000
    this.#creatableFrom.set(stream.name, from)
  }
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
