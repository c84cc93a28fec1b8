// What must hold of a simulation at its end, and of each batch as it becomes visible.

import { checkArrived } from '../arrived-check.ts'
import { batchesIn, type FolderReader } from '../files-batches.ts'
import { FileNode, type SimDisk } from './disk.ts'
import type { Fleet } from './fleet.ts'
import type { World } from './world.ts'

/** Watches the renames by which batches become visible: once a later epoch has written to a folder,
 * no earlier one does. */
export function epochGuard(world: World): (from: string, to: string) => void {
  const newest = new Map<string, number>()
  return (from, to) => {
    const target = /^(.*)\/batch-\d+$/.exec(to)
    const epoch = Number(/\/_attempt-e(\d+)\//.exec(from)?.[1])
    if (target === null || Number.isNaN(epoch)) return
    const folder = target[1] ?? ''
    const before = newest.get(folder) ?? 0
    if (epoch < before) world.breaks(`Epoch ${epoch} wrote ${to} after epoch ${before} had written`)
    newest.set(folder, Math.max(before, epoch))
  }
}

/** Throws unless every record is in the outputs once and in order, and each batch holds what
 * follows from the records of the batches up to it. */
export function checkFleet(fleet: Fleet): void {
  const { name, streams, outputs, disk } = fleet
  const arrived = { left: streams.left.records, right: streams.right.records }
  const known = new Map(
    [...outputs].map(([output, { place, table }]) => {
      if (place === 'files') return [output, batchesIn(`/data/out/${output}`, readerOf(disk))]
      return [output, new Map([...table.batches].map(([id, { records }]) => [id, records]))]
    }),
  )
  checkArrived(name, arrived, (output) => known.get(output) ?? new Map())
}

function readerOf(disk: SimDisk): FolderReader {
  return {
    names: (path) => (disk.has(path) ? [...disk.folderAt(path).names.keys()] : []),
    text(path) {
      const node = disk.nodeAt(path)
      if (node instanceof FileNode) return node.data.toString()
      throw new Error(`"${path}" must be a file`)
    },
  }
}
