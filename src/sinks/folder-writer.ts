// Exactly once in a folder: a batch is one directory that appears whole, by one rename.
//
// The parts and the manifest are written under the attempts of this epoch, and the directory is
// then renamed to its name. A rename onto a directory that is there fails, so a batch that is there
// stays as it is; its records are the same, because its plan was durable before the first write. A
// new epoch removes the attempts of earlier ones: a rename by a driver that was fenced then finds
// nothing to rename.

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import PQueue from 'p-queue'
import { ConfigError, codeOf, messageOf, StreamingError } from '../errors.ts'
import type { SinkBatch, SinkContext, SinkReceipt, SinkWriter } from './sink.ts'

const WRITES_MAX = 4

/** Where a batch goes, and how it stands there. */
export interface FolderLayout {
  /** Holds the directories of the batches. */
  readonly folder: string
  /** Begins the names of the directories of attempts, up to the epoch; no other writer's. */
  readonly attempts: string
  nameOf(batch: SinkBatch): string
  partName(partition: number): string
  lineOf(record: unknown): string
  /** True: a directory that is there and holds another batch is an error, and not kept. */
  readonly refuseOthers: boolean
}

interface Part {
  readonly file: string
  readonly records: number
  readonly bytes: number
  readonly crc32: number
}

/** Writes batches as directories of one folder. */
export class FolderWriter implements SinkWriter<unknown> {
  readonly #layout: FolderLayout
  readonly #attempts: string
  readonly #queue = new PQueue({ concurrency: WRITES_MAX })

  constructor(layout: FolderLayout, context: SinkContext) {
    this.#layout = layout
    this.#attempts = join(layout.folder, `${layout.attempts}${context.epoch}`)
  }

  /** Makes the folder, and removes what attempts of earlier epochs left. */
  async prepare(): Promise<void> {
    const { folder } = this.#layout
    try {
      await mkdir(folder, { recursive: true })
      for (const name of await readdir(folder)) {
        if (this.#isAttempts(name)) await this.#removeAttempts(name)
      }
      await mkdir(this.#attempts, { recursive: true })
    } catch (cause) {
      throw new ConfigError(
        `Cannot write to folder "${folder}": ${messageOf(cause)}; check that it exists or can be ` +
          `made, its permissions, and that the disk has room`,
        { cause },
      )
    }
  }

  #isAttempts(name: string): boolean {
    const { attempts } = this.#layout
    return name.startsWith(attempts) && /^\d+$/.test(name.slice(attempts.length))
  }

  /** The rename takes the directory away in one step; a late rename out of it then fails. */
  async #removeAttempts(name: string): Promise<void> {
    const { folder } = this.#layout
    const gone = join(folder, `_gone-${name}`)
    await rm(gone, { recursive: true, force: true })
    try {
      await rename(join(folder, name), gone)
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
    const name = this.#layout.nameOf(batch)
    const attempt = join(this.#attempts, name)
    await rm(attempt, { recursive: true, force: true })
    const filled = [...partitions.entries()].filter(([, records]) => records.length > 0)
    if (filled.length === 0) return { records: 0, bytes: 0 }
    await mkdir(attempt)
    const parts = await Promise.all(
      filled.map(([i, records]) => this.#queue.add(() => this.#writePart(attempt, i, records))),
    )
    const records = parts.reduce((n, part) => n + part.records, 0)
    const { pipeline, batchId, time, epoch } = batch
    const manifest = { pipeline, batchId, time, epoch, records, parts }
    await writeDurably(join(attempt, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#publish(batch, attempt, join(this.#layout.folder, name))
    return { records, bytes: parts.reduce((n, part) => n + part.bytes, 0) }
  }

  async #writePart(attempt: string, index: number, records: readonly unknown[]): Promise<Part> {
    const { partName, lineOf } = this.#layout
    const file = partName(index)
    const bytes = Buffer.from(records.map((record) => `${lineOf(record)}\n`).join(''))
    await writeDurably(join(attempt, file), bytes)
    return { file, records: records.length, bytes: bytes.length, crc32: crc32(bytes) }
  }

  async #publish(batch: SinkBatch, attempt: string, target: string): Promise<void> {
    await syncFolder(attempt)
    try {
      await rename(attempt, target)
    } catch (error) {
      const there = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST'
      if (!there) throw error
      if (this.#layout.refuseOthers) await requireSameBatch(batch, target)
      await rm(attempt, { recursive: true, force: true })
    }
    await syncFolder(this.#layout.folder)
  }

  async close(): Promise<void> {
    await this.#queue.onIdle()
    await rm(this.#attempts, { recursive: true, force: true })
  }
}

const MANIFEST = '_manifest.json'

/** Refuses to take a directory of another run or program for the batch that is to be written. */
async function requireSameBatch(batch: SinkBatch, target: string): Promise<void> {
  let found: Partial<SinkBatch> | undefined
  try {
    found = JSON.parse(await readFile(join(target, MANIFEST), 'utf8')) as Partial<SinkBatch>
  } catch {
    // No manifest that can be read: somebody else's.
  }
  const same = (['pipeline', 'batchId', 'time'] as const).every(
    (part) => found?.[part] === batch[part],
  )
  if (same) return
  const holds =
    found === undefined
      ? 'something without a manifest'
      : `batch ${found.batchId} of pipeline "${found.pipeline}"`
  throw new StreamingError(
    'SINK_FAILED',
    `Folder "${target}" is there and holds ${holds}: move it away, or save under another prefix`,
  )
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
