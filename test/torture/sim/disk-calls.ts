// The calls of node:fs/promises about the simulated disk, made by the process whose code runs.

import { constants } from 'node:fs'
import { crc32 } from 'node:zlib'
import { diskError, FileNode, FolderNode, type Node, partsOf, type SimDisk } from './disk.ts'
import type { Effect, SimProcess } from './process.ts'
import type { World } from './world.ts'

/** The folder that stands for the simulated disk; there is none of that name. */
const SIM_ROOT = '/millrace-sim'
/** A folder on it that is there. */
export const DATA = `${SIM_ROOT}/data`

/** What a path is called on the simulated disk; undefined if it is not on it. */
export function simPath(path: unknown): string | undefined {
  if (typeof path !== 'string' || !`${path}/`.startsWith(`${SIM_ROOT}/`)) return undefined
  return path.slice(SIM_ROOT.length) || '/'
}

interface Found {
  readonly name: string
  readonly parentPath: string
  isFile(): boolean
}

/** Told of each rename, before it. */
export type OnRename = (from: string, to: string) => void

/** The calls by their names; paths are those of the simulated disk. */
export class DiskCalls {
  readonly #disk: SimDisk
  readonly #world: World
  readonly #onRename: OnRename

  constructor(disk: SimDisk, world: World, onRename: OnRename) {
    this.#disk = disk
    this.#world = world
    this.#onRename = onRename
  }

  access(path: string): Promise<void> {
    return this.#call('access', path, { run: () => void this.#disk.nodeAt(path) })
  }

  readFile(path: string, encoding?: unknown): Promise<Buffer | string> {
    return this.#call('readFile', path, {
      run: () => {
        const node = this.#disk.nodeAt(path)
        if (!(node instanceof FileNode)) throw diskError('EISDIR', path)
        return encoding === undefined ? Buffer.from(node.data) : node.data.toString()
      },
    })
  }

  writeFile(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(content as Uint8Array)
    const write = (share: number): void => {
      const node = this.#opened(path, 'w')
      if (node instanceof FileNode) node.data = bytes.subarray(0, Math.floor(bytes.length * share))
    }
    return this.#call('writeFile', path, { run: () => write(1), part: write })
  }

  readdir(path: string, options?: { readonly recursive?: boolean }): Promise<unknown[]> {
    return this.#call('readdir', path, {
      run: () => {
        const folder = this.#disk.folderAt(path)
        return options?.recursive === true
          ? found(`${SIM_ROOT}${path}`, folder)
          : this.#names(folder)
      },
    })
  }

  mkdir(path: string, options?: { readonly recursive?: boolean }): Promise<string | undefined> {
    return this.#call('mkdir', path, {
      run: () => {
        if (options?.recursive === true) return this.#makeAll(path)
        if (this.#disk.has(path)) throw diskError('EEXIST', path)
        this.#disk.put(path, new FolderNode())
        return undefined
      },
    })
  }

  link(from: string, to: string): Promise<void> {
    return this.#call('link', `${shown(from)} ${to}`, {
      run: () => {
        const node = this.#disk.nodeAt(from)
        if (this.#disk.has(to)) throw diskError('EEXIST', to)
        this.#disk.put(to, node)
      },
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', `${from} ${to}`, {
      run: () => {
        const node = this.#disk.nodeAt(from)
        const target = this.#disk.has(to) ? this.#disk.nodeAt(to) : undefined
        if (target instanceof FolderNode && target.names.size > 0) throw diskError('ENOTEMPTY', to)
        this.#onRename(from, to)
        this.#disk.change(this.#disk.place(from, undefined), this.#disk.place(to, node))
      },
    })
  }

  rmdir(path: string): Promise<void> {
    return this.#call('rmdir', path, {
      run: () => {
        if (this.#disk.folderAt(path).names.size > 0) throw diskError('ENOTEMPTY', path)
        this.#disk.put(path, undefined)
      },
    })
  }

  /** With `force`, and of whole folders: as the engine calls it. */
  rm(path: string): Promise<void> {
    const remove = (share: number): void => {
      const paths = this.#disk.has(path) ? within(path, this.#disk.nodeAt(path)) : []
      for (const one of paths.slice(0, Math.ceil(paths.length * share))) {
        this.#disk.put(one, undefined)
      }
    }
    return this.#call('rm', shown(path), { run: () => remove(1), part: remove })
  }

  async open(path: string, flags: unknown): Promise<SimHandle> {
    const open = () => {
      const node = this.#opened(path, flags)
      return new SimHandle(this.#disk, node, shown(path), (name, about, effect) =>
        this.#call(name, about, effect),
      )
    }
    return this.#call('open', `${shown(path)} ${String(flags)}`, { run: open })
  }

  #opened(path: string, flags: unknown): Node {
    const makes = typeof flags === 'string' && flags.startsWith('w')
    const appends = typeof flags === 'number' && (flags & constants.O_APPEND) !== 0
    if (!makes && !appends && flags !== 'r' && flags !== 'r+') {
      throw new Error(`The simulated disk does not know the flags ${String(flags)}`)
    }
    if (!makes) return this.#disk.nodeAt(path)
    if (this.#disk.has(path)) {
      const node = this.#disk.nodeAt(path)
      if (flags === 'wx') throw diskError('EEXIST', path)
      if (!(node instanceof FileNode)) throw diskError('EISDIR', path)
      node.data = Buffer.alloc(0)
      return node
    }
    const made = new FileNode()
    this.#disk.put(path, made)
    return made
  }

  #makeAll(path: string): string | undefined {
    let at = ''
    let first: string | undefined
    for (const name of partsOf(path)) {
      at += `/${name}`
      if (this.#disk.has(at)) {
        this.#disk.folderAt(at)
        continue
      }
      this.#disk.put(at, new FolderNode())
      first ??= `${SIM_ROOT}${at}`
    }
    return first
  }

  /** A folder has no order. */
  #names(folder: FolderNode): string[] {
    const names = [...folder.names.keys()]
    const from = this.#world.pick(Math.max(1, names.length))
    return [...names.slice(from), ...names.slice(0, from)]
  }

  #call<T>(name: string, about: string, effect: Effect<T>): Promise<T> {
    return this.#process().call('disk', name, about, effect)
  }

  #process(): SimProcess {
    const { current } = this.#world
    if (current === undefined) throw new Error('The simulated disk was called by no process')
    return current
  }
}

type CallOf = <T>(name: string, about: string, effect: Effect<T>) => Promise<T>

/** An open file or folder; it is written at its end only. */
export class SimHandle {
  readonly #disk: SimDisk
  readonly #node: Node
  readonly #path: string
  readonly #call: CallOf

  constructor(disk: SimDisk, node: Node, path: string, call: CallOf) {
    this.#disk = disk
    this.#node = node
    this.#path = path
    this.#call = call
  }

  writeFile(content: string | Uint8Array): Promise<void> {
    return this.#append('writeFile', Buffer.from(content as Uint8Array))
  }

  appendFile(content: string | Uint8Array): Promise<void> {
    return this.#append('appendFile', Buffer.from(content as Uint8Array))
  }

  sync(): Promise<void> {
    return this.#call('sync', this.#path, { run: () => this.#disk.flush(this.#node) })
  }

  datasync(): Promise<void> {
    return this.#call('datasync', this.#path, { run: () => this.#disk.flush(this.#node) })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #append(name: string, bytes: Buffer): Promise<void> {
    const add = (more: Buffer): void => {
      const node = this.#node
      if (!(node instanceof FileNode)) throw diskError('EBADF', this.#path)
      node.data = Buffer.concat([node.data, more])
    }
    const about = `${this.#path} ${bytes.length} bytes ${crc32(bytes).toString(16)}`
    const part = (share: number): void => add(bytes.subarray(0, Math.floor(bytes.length * share)))
    return this.#call(name, about, { run: () => add(bytes), part })
  }
}

/** Names of temporary files begin with the number of the process of this machine. */
function shown(path: string): string {
  return path.replace(/\/\d+-([0-9a-f-]{36}\.part)$/, '/$1')
}

/** The files and folders below a folder. */
function found(path: string, folder: FolderNode): Found[] {
  return [...folder.names].flatMap(([name, node]) => {
    const entry = { name, parentPath: path, isFile: () => node instanceof FileNode }
    return node instanceof FolderNode ? [entry, ...found(`${path}/${name}`, node)] : [entry]
  })
}

/** What is in a folder before the folder itself. */
function within(path: string, node: Node): string[] {
  if (node instanceof FileNode) return [path]
  return [...[...node.names].flatMap(([name, one]) => within(`${path}/${name}`, one)), path]
}
