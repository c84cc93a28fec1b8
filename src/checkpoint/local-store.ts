// A checkpoint in a folder of this machine.
//
// Publishing is link(), never rename: a link fails if the name is taken, a rename replaces what is
// there. The object is written and flushed under a name of its own in `tmp/` first, so that it
// appears whole, and the folder is flushed after, so that the name survives a power loss.

import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { assert } from '../assert.ts'
import { makeFolder, syncFolder, writeDurably } from '../durable-folder.ts'
import { codeOf, messageOf, StreamingError } from '../errors.ts'
import type { CheckpointStore, StoreRecipe } from './store.ts'

const TMP = 'tmp'

/** Only what looks like ours is ever removed: a user's folder may have a `tmp/` of its own. */
const LEFTOVER = /^\d+-[0-9a-f-]{36}\.part$/

/** How often a temporary file may vanish under our hands (another start sweeps them) before we
 * give up. */
const SWEPT_MAX = 3

const NAME = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/

/** Keeps a checkpoint as files under `dir`. It needs a file system with hard links, as local
 * disks have. */
export class LocalStore implements CheckpointStore {
  readonly kind = 'local'
  readonly appends = true
  readonly recipe: StoreRecipe
  readonly location: string
  readonly #dir: string
  /** The one file that is appended to, kept open. */
  #appending: { readonly name: string; readonly handle: fs.FileHandle } | undefined
  /** Folders whose names are known to be durable, as long as they are there. */
  readonly #durable = new Set<string>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(dir: string) {
    this.#dir = realPathOf(resolve(dir))
    this.location = `local:${this.#dir}`
    this.recipe = { module: import.meta.url, name: 'LocalStore', input: this.#dir }
  }

  /** Makes the folder, and removes what writers that died left in `tmp/`. */
  async open(): Promise<void> {
    await this.#guarded(async () => {
      await makeFolder(join(this.#dir, TMP))
      for (const name of await fs.readdir(join(this.#dir, TMP))) {
        if (LEFTOVER.test(name)) await fs.rm(join(this.#dir, TMP, name), { force: true })
      }
      const probe = this.#tmpPath()
      await writeDurably(probe, new Uint8Array(1), 'wx')
      await fs.rm(probe, { force: true })
    })
  }

  createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean> {
    return this.#guarded(async () => {
      for (let swept = 0; swept < SWEPT_MAX; swept += 1) {
        const created = await this.#publish(this.#pathOf(name), bytes)
        if (created !== undefined) return created
      }
      throw new Error(
        `another process removed ${SWEPT_MAX} files from "${TMP}/" as they were written`,
      )
    })
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#guarded(async () => {
      const path = this.#pathOf(name)
      await fs.mkdir(dirname(path), { recursive: true })
      await withFile(path, 'w', (handle) => handle.writeFile(bytes))
    })
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const handle = await this.#handleFor(name)
      await handle.appendFile(bytes)
    })
  }

  sync(name: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#appending?.name === name) await this.#appending.handle.datasync()
      else await withFile(this.#pathOf(name), 'r+', (handle) => handle.datasync())
    })
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#guarded(() => orUndefined(fs.readFile(this.#pathOf(name))))
  }

  exists(name: string): Promise<boolean> {
    return this.#guarded(async () => {
      return (await orUndefined(fs.access(this.#pathOf(name)).then(() => true))) ?? false
    })
  }

  list(prefix: string): Promise<string[]> {
    return this.#guarded(async () => {
      const within = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const paths = await orUndefined(
        fs.readdir(join(this.#dir, within), { recursive: true, withFileTypes: true }),
      )
      return (paths ?? [])
        .filter((entry) => entry.isFile())
        .map((entry) => relative(this.#dir, join(entry.parentPath, entry.name)))
        .map((path) => path.replaceAll(sep, '/'))
        .filter((name) => name.startsWith(prefix) && !name.startsWith(`${TMP}/`))
        .sort(byUnits)
    })
  }

  /** Also removes the folder of the last object in it, so that epochs do not pile up. */
  delete(name: string): Promise<void> {
    return this.#guarded(async () => {
      const path = this.#pathOf(name)
      await fs.rm(path, { force: true })
      if (dirname(path) === this.#dir) return
      try {
        await fs.rmdir(dirname(path))
        this.#durable.delete(dirname(path))
      } catch {
        // Others are in it.
      }
    })
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#closeAppending())
  }

  /** Resolves to undefined if the temporary file, or the folder, was removed before it was
   * linked. */
  async #publish(path: string, bytes: Uint8Array): Promise<boolean | undefined> {
    const tmp = this.#tmpPath()
    await this.#makeFolder(dirname(path))
    await fs.mkdir(dirname(tmp), { recursive: true })
    await writeDurably(tmp, bytes, 'wx')
    try {
      await fs.link(tmp, path)
      await syncFolder(dirname(path))
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    } finally {
      await fs.rm(tmp, { force: true })
    }
  }

  /** A folder that is there may be of a process that died before its name was durable. */
  async #makeFolder(path: string): Promise<void> {
    const isNew = (await fs.mkdir(path, { recursive: true })) !== undefined
    if (!isNew && this.#durable.has(path)) return
    await makeFolder(path)
    this.#durable.add(path)
  }

  async #handleFor(name: string): Promise<fs.FileHandle> {
    if (this.#appending?.name === name) return this.#appending.handle
    await this.#closeAppending()
    // No O_CREAT: an object comes into being by createIfAbsent alone.
    const flags = fs.constants.O_WRONLY | fs.constants.O_APPEND
    const handle = await fs.open(this.#pathOf(name), flags)
    this.#appending = { name, handle }
    return handle
  }

  async #closeAppending(): Promise<void> {
    const handle = this.#appending?.handle
    this.#appending = undefined
    await handle?.close()
  }

  #pathOf(name: string): string {
    assert(NAME.test(name) && !name.startsWith(`${TMP}/`), () => `"${name}" cannot name an object`)
    return join(this.#dir, ...name.split('/'))
  }

  #tmpPath(): string {
    return join(this.#dir, TMP, `${process.pid}-${randomUUID()}.part`)
  }

  /** Runs what uses the appending handle, one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(() => this.#guarded(work))
    this.#turn = run.catch(() => undefined)
    return run
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw codeOf(error) === undefined ? error : refused(this.location, error)
    }
  }
}

/** Makes the error of a checkpoint whose medium refused, with what to do about it. */
export function refused(location: string, cause: unknown): StreamingError {
  return new StreamingError(
    'CHECKPOINT_UNWRITABLE',
    `Cannot use checkpoint "${location}": ${adviceFor(cause)} (${messageOf(cause)})`,
    { cause },
  )
}

function adviceFor(cause: unknown): string {
  switch (codeOf(cause) ?? '') {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; free space and start again, what was committed is kept'
    case 'EACCES':
    case 'EPERM':
      return (
        `user "${userName()}" must be allowed to read, write and link in it; ` +
        `change the permissions of the folder, or use another`
      )
    case 'EROFS':
      return 'its file system is read-only; mount it for writing, or use another folder'
    case 'ENOTDIR':
    case 'EEXIST':
      return 'it must be a folder, and a file is in the way; move the file, or use another folder'
    case 'ENOTSUP':
    case 'ENOSYS':
    case 'EMLINK':
      return 'its file system must have hard links; use a folder on a local disk'
    case 'ENOENT':
      return 'a file of it was removed while it was in use; start again'
    default:
      return 'the disk refused; check the folder and the disk, then start again'
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}

/** Resolves links of the part of a path that exists: the same folder gets the same text. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPathOf(parent), basename(path))
  }
}

async function withFile<T>(
  path: string,
  flags: string,
  use: (handle: fs.FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await fs.open(path, flags)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}

async function orUndefined<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
