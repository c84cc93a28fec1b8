// Keeps the streams of a simulator in a folder: every change is appended before it is made, so that
// a process that is killed at any time finds all that it had acknowledged. What is not kept: rates,
// counters, the log of calls. A power loss can take the newest changes.

import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { Account } from './account.ts'
import type { Change, PutEntry } from './changes.ts'
import { FolderLock } from './folder-lock.ts'
import { JournalFile } from './journal-file.ts'
import type { Shard } from './shard.ts'
import { Stream } from './stream.ts'
import type { StreamSnapshot } from './stream-snapshot.ts'

const FILE = 'journal'
const NEXT = 'journal.next'
/** A journal that is shorter is not worth to be written anew. */
const REWRITE_BYTES_MIN = 16 * 1024 * 1024
const FRAME_ENTRIES_MAX = 500

/** The journal of one simulator. */
export class Journal {
  readonly #folder: string
  readonly #lock: FolderLock
  #file: JournalFile
  #closed = false

  /** Opens the folder, or makes it. Throws a ConfigError if another simulator has it open. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    this.#folder = folder
    this.#lock = new FolderLock(folder)
    rmSync(join(folder, NEXT), { force: true })
    this.#file = new JournalFile(join(folder, FILE))
  }

  /** Makes all changes again. If more than half of the file is about records that are gone, it is
   * written anew without them. */
  load(account: Account, nowMs: number): void {
    try {
      this.#load(account, nowMs)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #load(account: Account, nowMs: number): void {
    for (const entry of this.#file.read()) {
      const made = entry as Change | StreamSnapshot
      if (made.kind === 'snapshot') account.add(Stream.restore(made, account))
      else account.apply(made)
    }
    const streams = account.streams(nowMs)
    const alive = streams.reduce((sum, stream) => sum + aliveBytes(stream, nowMs), 0)
    const isWorthIt = this.#file.bytes >= REWRITE_BYTES_MIN && alive < this.#file.bytes / 2
    // A change that is under way has no place in a snapshot; the next start will do.
    if (isWorthIt && streams.every(({ status }) => status === 'ACTIVE')) this.#rewrite(streams)
  }

  append(change: Change): void {
    if (this.#closed) {
      throw new ConfigError(`Cannot keep a change in "${this.#folder}": the simulator is closed`)
    }
    this.#file.append(change)
  }

  close(): void {
    this.#closed = true
    this.#file.close()
    this.#lock.release()
  }

  #rewrite(streams: readonly Stream[]): void {
    const path = join(this.#folder, NEXT)
    const next = new JournalFile(path)
    for (const stream of streams) {
      next.append(stream.snapshot())
      for (const shard of stream.shards) {
        for (const put of putsOf(stream, shard)) next.append(put)
      }
    }
    renameSync(path, join(this.#folder, FILE))
    this.#file.close()
    this.#file = next
  }
}

function aliveBytes(stream: Stream, nowMs: number): number {
  let bytes = 0
  for (const shard of stream.shards) {
    shard.trimBefore(stream.horizonMs(nowMs))
    for (const record of shard.records()) bytes += record.bytes
  }
  return bytes
}

function* putsOf(stream: Stream, shard: Shard): Generator<Change> {
  let entries: PutEntry[] = []
  let atMs = 0
  for (const record of shard.records()) {
    if (record.arrivalMs !== atMs || entries.length === FRAME_ENTRIES_MAX) {
      if (entries.length > 0) yield { kind: 'put', stream: stream.name, atMs, entries }
      entries = []
      atMs = record.arrivalMs
    }
    entries.push([shard.described.index, record.counter, record.partitionKey, record.data])
  }
  if (entries.length > 0) yield { kind: 'put', stream: stream.name, atMs, entries }
}
