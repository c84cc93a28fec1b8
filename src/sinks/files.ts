// Exactly once in a folder: a batch is one directory that appears whole, by one rename.
//
// The parts and the manifest are written under `_attempt-e<epoch>/` and the directory is then
// renamed to `batch-<id>`. A rename onto a directory that is there fails, so a batch that is there
// stays as it is; its records are the same, because its plan was durable before the first write. A
// new epoch removes the attempt directories of earlier ones: a rename by a driver that was fenced
// then finds nothing to rename.

import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import PQueue from 'p-queue'
import { ConfigError, codeOf, messageOf } from '../errors.ts'
import type { Sink, SinkBatch, SinkContext, SinkReceipt, SinkWriter } from './sink.ts'

const WRITES_MAX = 4

interface Part {
  readonly file: string
  readonly records: number
  readonly bytes: number
  readonly crc32: number
}

/** Writes each batch with records as a directory `batch-<id>` of JSON lines, one file a partition,
 * with a manifest; exactly once. A batch without records makes no directory. Files and names are
 * durable when the batch is committed.
 *
 * `folder` is relative to the working directory. Rejects at start if it cannot be written.
 *
 * @example
 * ```ts
 * const sink = files('./out')
 * assert.equal(sink.guarantee, 'exactly-once')
 * ```
 */
export function files(folder: string): Sink<unknown> {
  return {
    name: `files:${folder}`,
    guarantee: 'exactly-once',
    async open(context) {
      const writer = new FilesWriter(folder, context)
      await writer.prepare()
      return writer
    },
  }
}

class FilesWriter implements SinkWriter<unknown> {
  readonly #folder: string
  readonly #attempts: string
  readonly #queue = new PQueue({ concurrency: WRITES_MAX })

  constructor(folder: string, context: SinkContext) {
    this.#folder = folder
    this.#attempts = join(folder, `_attempt-e${context.epoch}`)
  }

  async prepare(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true })
      for (const name of await readdir(this.#folder)) {
        if (name.startsWith('_attempt-')) await this.#removeAttempts(name)
      }
      await mkdir(this.#attempts, { recursive: true })
    } catch (cause) {
      throw new ConfigError(
        `Cannot write to folder "${this.#folder}": ${messageOf(cause)}; check that it exists ` +
          `or can ` +
          `be made, its permissions, and that the disk has room`,
        { cause },
      )
    }
  }

  /** The rename takes the directory away in one step; a late rename out of it then fails. */
  async #removeAttempts(name: string): Promise<void> {
    const gone = join(this.#folder, `_gone-${name}`)
    await rm(gone, { recursive: true, force: true })
    try {
      await rename(join(this.#folder, name), gone)
    } catch (error) {
      // The run that was fenced removed it as it closed.
      if (codeOf(error) !== 'ENOENT') throw error
    }
    await rm(gone, { recursive: true, force: true })
  }

  /** Nothing to do: writing a batch that is there changes nothing. */
  recover(): Promise<void> {
    return Promise.resolve()
  }

  async write(batch: SinkBatch, partitions: readonly (readonly unknown[])[]): Promise<SinkReceipt> {
    const name = `batch-${String(batch.batchId).padStart(12, '0')}`
    const attempt = join(this.#attempts, name)
    await rm(attempt, { recursive: true, force: true })
    const filled = [...partitions.entries()].filter(([, records]) => records.length > 0)
    if (filled.length === 0) return { records: 0, bytes: 0 }
    await mkdir(attempt)
    const parts = await Promise.all(
      filled.map(([i, records]) => this.#queue.add(() => writePart(attempt, i, records))),
    )
    const records = parts.reduce((n, part) => n + part.records, 0)
    const { pipeline, batchId, time, epoch } = batch
    const manifest = { pipeline, batchId, time, epoch, records, parts }
    await writeDurably(join(attempt, '_manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#publish(attempt, join(this.#folder, name))
    return { records, bytes: parts.reduce((n, part) => n + part.bytes, 0) }
  }

  async #publish(attempt: string, target: string): Promise<void> {
    await syncFolder(attempt)
    try {
      await rename(attempt, target)
    } catch (error) {
      const there = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST'
      if (!there) throw error
      await rm(attempt, { recursive: true, force: true })
    }
    await syncFolder(this.#folder)
  }

  async close(): Promise<void> {
    await this.#queue.onIdle()
    await rm(this.#attempts, { recursive: true, force: true })
  }
}

async function writePart(
  folder: string,
  partition: number,
  records: readonly unknown[],
): Promise<Part> {
  const file = `part-${String(partition).padStart(5, '0')}.jsonl`
  const text = records.map((record) => `${JSON.stringify(record) ?? 'null'}\n`).join('')
  const bytes = Buffer.from(text)
  await writeDurably(join(folder, file), bytes)
  return { file, records: records.length, bytes: bytes.length, crc32: crc32(bytes) }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(path, 'w')
  try {
    await handle.writeFile(content)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
