// Exactly once in a folder: a batch is one directory that appears whole, by one rename.
//
// Tasks write the parts into a directory of their attempt, under the attempts of this epoch; the
// driver adds the manifest and renames the directory. A rename onto a directory that is there
// fails, so a batch that is there stays as it is; its records are the same, because its plan was
// durable before the first write. For that reason too a start knows of every batch that its
// checkpoint has written: later ones are another's, and the start is refused. A new epoch removes
// the attempts of earlier ones: a rename, and a write, by a driver that was fenced then find
// nothing.

import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { makeFolder, syncFolder, writeDurably } from '../durable-folder.ts'
import { ConfigError, codeOf, messageOf, StreamingError } from '../errors.ts'
import { type FolderLayout, MANIFEST, type Part } from './folder-layout.ts'
import type {
  SinkBatch,
  SinkCommitter,
  SinkContext,
  SinkReceipt,
  SinkTask,
  SinkTaskWriter,
  TaskReceipt,
  TaskSink,
  WrittenPartition,
} from './sink.ts'

/** Begins the name of a directory of attempts that is being removed. */
const GONE = '_gone-'

/** A sink that writes batches as directories of one folder. */
export function folderSink(name: string, layout: FolderLayout): TaskSink<unknown> {
  return {
    name,
    guarantee: 'exactly-once',
    place: join(resolve(layout.folder), layout.attempts),
    async open(context) {
      const committer = new FolderCommitter(layout, context)
      await committer.begin()
      return committer
    },
    openTask: () => Promise.resolve(new PartWriter(layout)),
  }
}

class PartWriter implements SinkTaskWriter<unknown> {
  readonly #layout: FolderLayout

  constructor(layout: FolderLayout) {
    this.#layout = layout
  }

  async write({ partition, ticket }: SinkTask, records: readonly unknown[]): Promise<TaskReceipt> {
    const { partName, lineOf } = this.#layout
    const file = partName(partition)
    const bytes = Buffer.from(records.map((record) => `${lineOf(record)}\n`).join(''))
    await writeDurably(join(ticket as string, file), bytes, 'w')
    const detail = { file, crc32: crc32(bytes) }
    return { records: records.length, bytes: bytes.length, detail }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

class FolderCommitter implements SinkCommitter {
  readonly #layout: FolderLayout
  readonly #epoch: number
  readonly #attempts: string
  readonly #newestBatchId: number

  constructor(layout: FolderLayout, { epoch, newestBatchId }: SinkContext) {
    this.#layout = layout
    this.#epoch = epoch
    this.#newestBatchId = newestBatchId ?? Number.POSITIVE_INFINITY
    this.#attempts = join(layout.folder, `${layout.attempts}${epoch}`)
  }

  /** Makes the folder, and removes what attempts of earlier epochs left. */
  async begin(): Promise<void> {
    const { folder } = this.#layout
    try {
      await makeFolder(folder)
      await this.#refuseOthers()
      for (const name of await readdir(folder)) {
        if (this.#isAttempts(name)) await this.#removeAttempts(name)
        else if (this.#isGone(name)) await rm(join(folder, name), { recursive: true, force: true })
      }
      await mkdir(this.#attempts, { recursive: true })
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause
      throw refused(folder, cause)
    }
  }

  /** Throws where a batch is there that the checkpoint does not know of. */
  async #refuseOthers(): Promise<void> {
    const { folder, batchIdOf } = this.#layout
    const ids = (await readdir(folder)).map((name) => batchIdOf(name) ?? 0)
    const newest = ids.reduce((a, b) => Math.max(a, b), 0)
    const known = this.#newestBatchId
    if (newest <= known) return
    const starts =
      known === 0
        ? 'this start counts its batches from 1'
        : `the checkpoint ends with batch ${known}`
    throw new ConfigError(
      `Cannot write to folder "${folder}": it holds batch ${newest}, and ${starts}, so that ` +
        `batch is of another checkpoint and would be kept in place of a new one; write to a new ` +
        `folder, move the batches after ${known} away, or start with the checkpoint of those`,
    )
  }

  /** Those of a later epoch are left alone: this start may have been taken over meanwhile. */
  #isAttempts(name: string): boolean {
    const { attempts } = this.#layout
    if (!name.startsWith(attempts)) return false
    const epoch = name.slice(attempts.length)
    return /^\d+$/.test(epoch) && Number(epoch) <= this.#epoch
  }

  /** A start that died left it. */
  #isGone(name: string): boolean {
    return name.startsWith(GONE) && this.#isAttempts(name.slice(GONE.length))
  }

  /** The rename takes the directory away in one step; a late rename out of it then fails. */
  async #removeAttempts(name: string): Promise<void> {
    const { folder } = this.#layout
    const gone = join(folder, `${GONE}${name}`)
    await rm(gone, { recursive: true, force: true })
    try {
      await rename(join(folder, name), gone)
    } catch (error) {
      // The run that was fenced removed it as it closed.
      if (codeOf(error) !== 'ENOENT') throw error
    }
    await rm(gone, { recursive: true, force: true })
  }

  /** Nothing to do: committing a batch that is there changes nothing. */
  recover(): Promise<void> {
    return Promise.resolve()
  }

  /** Gives the directory of the attempt. */
  async prepare(batch: SinkBatch): Promise<string> {
    for (let before = 0; before < batch.attempt; before++) {
      await this.#remove({ ...batch, attempt: before })
    }
    const directory = this.#directoryOf(batch)
    await rm(directory, { recursive: true, force: true })
    // Not `recursive`: a new epoch took the folder above away, and it must stay away.
    await mkdir(directory)
    return directory
  }

  async commit(batch: SinkBatch, written: readonly WrittenPartition[]): Promise<SinkReceipt> {
    const directory = this.#directoryOf(batch)
    const parts = written.map(({ records, bytes, detail }): Part => {
      const { file, crc32: crc } = detail as Pick<Part, 'file' | 'crc32'>
      return { file, records, bytes, crc32: crc }
    })
    const records = parts.reduce((n, part) => n + part.records, 0)
    const { pipeline, batchId, time, epoch } = batch
    const manifest = { pipeline, batchId, time, epoch, records, parts }
    await writeDurably(join(directory, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, 'w')
    await this.#publish(batch, directory)
    return { records, bytes: parts.reduce((n, part) => n + part.bytes, 0) }
  }

  async #publish(batch: SinkBatch, directory: string): Promise<void> {
    const { folder, nameOf } = this.#layout
    const target = join(folder, nameOf(batch))
    await syncFolder(directory)
    try {
      await rename(directory, target)
    } catch (error) {
      const there = codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST'
      if (!there) throw error
      await requireSameBatch(batch, target)
      await this.#remove(batch)
    }
    await syncFolder(folder)
  }

  #directoryOf(batch: SinkBatch): string {
    return join(this.#attempts, `${this.#layout.nameOf(batch)}-a${batch.attempt}`)
  }

  async #remove(batch: SinkBatch): Promise<void> {
    await rm(this.#directoryOf(batch), { recursive: true, force: true })
  }

  async close(): Promise<void> {
    const folder = this.#attempts
    await rm(folder, { recursive: true, force: true }).catch((cause: unknown) => {
      throw new StreamingError(
        'SINK_FAILED',
        `Cannot remove folder "${folder}": ${messageOf(cause)}; check the disk. No batch is in ` +
          `it, and the next start removes it`,
        { cause },
      )
    })
  }
}

/** What the caller can mend: another folder, or another user. */
const MISTAKES = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'ENOENT',
  'ENAMETOOLONG',
  'ELOOP',
  'EINVAL',
])

/** The error of a folder that cannot be used at the start. */
function refused(folder: string, cause: unknown): StreamingError {
  const code = codeOf(cause) ?? ''
  const what = `Cannot write to folder "${folder}": ${messageOf(cause)}`
  if (MISTAKES.has(code) || code.startsWith('ERR_')) {
    return new ConfigError(`${what}; check that it exists or can be made, and its permissions`, {
      cause,
    })
  }
  const isFull = code === 'ENOSPC' || code === 'EDQUOT'
  const advice = isFull ? 'the disk is full; free space' : 'check the disk'
  return new StreamingError('SINK_FAILED', `${what}; ${advice} and start again`, {
    cause,
    retryable: true,
  })
}

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
    `Folder "${target}" is there and holds ${holds}: move it away, or write to another place`,
  )
}
