// A disk that forgets: what was written and not flushed, and which names were made, moved and
// removed in folders that were not flushed, is on it after a power loss in part, and not in order.
//
// The strictest reading of POSIX: flushing a file makes its bytes durable and not its name, and
// flushing a folder makes its names durable and not what they name. A rename is one step, in both
// folders, so whoever flushes one of them has made it durable in both.

import type { World } from './world.ts'

/** A file. */
export class FileNode {
  data: Buffer = Buffer.alloc(0)
  /** As it was when it was flushed. */
  durable: Buffer = Buffer.alloc(0)

  flush(): void {
    this.durable = this.data
  }

  /** What is left of it when the power goes. */
  lose(world: World): void {
    const { data, durable } = this
    if (data.equals(durable)) return
    const grew = data.length >= durable.length && data.subarray(0, durable.length).equals(durable)
    const from = grew ? durable.length : 0
    const kept = from + world.pick(data.length - from + 1)
    const bytes = Buffer.from(data.subarray(0, kept))
    // Blocks that the file was given, and that were not written.
    const gap = world.chance(1, 3) ? world.pick(data.length - kept + 1) : 0
    const isOld = !grew && world.chance(1, 2)
    this.data = isOld ? durable : Buffer.concat([bytes, Buffer.alloc(gap)])
    this.durable = this.data
  }
}

/** A folder. */
export class FolderNode {
  readonly names = new Map<string, Node>()
  /** As they were when it was flushed. */
  readonly durable = new Map<string, Node>()
}

export type Node = FileNode | FolderNode

/** A name that is given to a node, or taken away. */
interface NameChange {
  readonly folder: FolderNode
  readonly name: string
  readonly node: Node | undefined
}

/** Files and folders by their paths, which begin with `/`. */
export class SimDisk {
  readonly root = new FolderNode()
  /** Steps that are not durable, oldest first; each is kept whole or lost. */
  #steps: (readonly NameChange[])[] = []

  constructor() {
    this.put('/data', new FolderNode())
    this.flush(this.root)
  }

  /** The node at a path. Throws ENOENT or ENOTDIR. */
  nodeAt(path: string): Node {
    let node: Node = this.root
    for (const name of partsOf(path)) {
      if (!(node instanceof FolderNode)) throw diskError('ENOTDIR', path)
      const next: Node | undefined = node.names.get(name)
      if (next === undefined) throw diskError('ENOENT', path)
      node = next
    }
    return node
  }

  /** The folder at a path. */
  folderAt(path: string): FolderNode {
    const node = this.nodeAt(path)
    if (node instanceof FolderNode) return node
    throw diskError('ENOTDIR', path)
  }

  /** True if something is at a path. */
  has(path: string): boolean {
    try {
      this.nodeAt(path)
      return true
    } catch {
      return false
    }
  }

  /** Changes names in one step. */
  change(...changes: readonly NameChange[]): void {
    for (const { folder, name, node } of changes) {
      if (node === undefined) folder.names.delete(name)
      else folder.names.set(name, node)
    }
    this.#steps.push(changes)
  }

  /** Gives a name to a node, or takes it away. */
  put(path: string, node: Node | undefined): void {
    this.change(this.place(path, node))
  }

  /** The change that `put` makes. */
  place(path: string, node: Node | undefined): NameChange {
    const cut = path.lastIndexOf('/')
    return { folder: this.folderAt(path.slice(0, cut)), name: path.slice(cut + 1), node }
  }

  /** Makes the bytes of a file, or the names in a folder, durable. */
  flush(node: Node): void {
    if (node instanceof FileNode) node.flush()
    else this.#keep((step) => step.some(({ folder }) => folder === node))
  }

  /** The power goes: what was not durable is there in part. */
  loseUnflushed(world: World): void {
    const how = world.pick(4)
    // All is lost, all is kept, or each step for itself.
    this.#keep(() => (how === 0 ? false : how === 1 ? true : world.chance(1, 2)))
    this.#steps = []
    this.#reload(this.root, world, new Set())
  }

  /** Makes some steps durable; what an earlier one says of the same name counts no more. */
  #keep(isKept: (step: readonly NameChange[]) => boolean): void {
    const left: NameChange[][] = []
    for (const step of this.#steps) {
      if (!isKept(step)) {
        left.push([...step])
        continue
      }
      for (const { folder, name, node } of step) {
        if (node === undefined) folder.durable.delete(name)
        else folder.durable.set(name, node)
        for (const before of left) {
          const index = before.findIndex((one) => one.folder === folder && one.name === name)
          if (index >= 0) before.splice(index, 1)
        }
      }
    }
    this.#steps = left.filter((step) => step.length > 0)
  }

  #reload(folder: FolderNode, world: World, seen: Set<Node>): void {
    folder.names.clear()
    for (const [name, node] of folder.durable) {
      folder.names.set(name, node)
      if (seen.has(node)) continue
      seen.add(node)
      if (node instanceof FileNode) node.lose(world)
      else this.#reload(node, world, seen)
    }
  }
}

/** The names of a path. */
export function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

/** The error of a call of the disk. */
export function diskError(code: string, about: string): Error {
  return Object.assign(new Error(`${code}: simulated, '${about}'`), { code })
}
