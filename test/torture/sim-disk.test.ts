import { expect, test } from 'vitest'
import { FileNode, FolderNode, SimDisk } from './sim/disk.ts'
import { World } from './sim/world.ts'

/** What is there after a power loss, over many seeds. */
function outcomes(make: (disk: SimDisk) => void, look: (disk: SimDisk) => string): Set<string> {
  return new Set(
    Array.from({ length: 60 }, (_, seed) => {
      const disk = new SimDisk()
      make(disk)
      disk.loseUnflushed(new World(seed))
      return look(disk)
    }),
  )
}

function fileWith(text: string): FileNode {
  const file = new FileNode()
  file.data = Buffer.from(text)
  return file
}

function contentOf(disk: SimDisk, path: string): string {
  if (!disk.has(path)) return 'gone'
  return (disk.nodeAt(path) as FileNode).data.toString().replaceAll('\0', '0')
}

test('a simulated disk may lose the name of a file that was flushed without its folder', () => {
  const make = (disk: SimDisk) => {
    const file = fileWith('abc')
    disk.put('/data/a', file)
    disk.flush(file)
  }
  const seen = outcomes(make, (disk) => contentOf(disk, '/data/a'))
  expect([...seen].sort()).toEqual(['abc', 'gone'])
})

test('a simulated disk keeps a prefix of bytes that were not flushed, and zeros', () => {
  const make = (disk: SimDisk) => {
    const file = fileWith('ab')
    disk.put('/data/a', file)
    disk.flush(disk.nodeAt('/data'))
    disk.flush(file)
    file.data = Buffer.from('abcd')
  }
  const seen = outcomes(make, (disk) => contentOf(disk, '/data/a'))
  expect([...seen].sort()).toEqual(['ab', 'ab0', 'ab00', 'abc', 'abc0', 'abcd'])
})

test('a simulated disk may keep a later name and lose an earlier one', () => {
  const make = (disk: SimDisk) => {
    disk.put('/data/a', new FolderNode())
    disk.put('/data/b', new FolderNode())
  }
  const seen = outcomes(make, (disk) => `${disk.has('/data/a')} ${disk.has('/data/b')}`)
  expect([...seen].sort()).toEqual(['false false', 'false true', 'true false', 'true true'])
})

test('a simulated disk renames in one step, which a flush of either folder makes durable', () => {
  for (const flushed of ['/data/a', '/data/b']) {
    const make = (disk: SimDisk) => {
      for (const name of ['/data/a', '/data/b']) disk.put(name, new FolderNode())
      disk.flush(disk.nodeAt('/data'))
      const node = new FolderNode()
      disk.put('/data/a/x', node)
      disk.change(disk.place('/data/a/x', undefined), disk.place('/data/b/x', node))
      disk.flush(disk.nodeAt(flushed))
    }
    const seen = outcomes(make, (disk) => `${disk.has('/data/a/x')} ${disk.has('/data/b/x')}`)
    expect([...seen]).toEqual(['false true'])
  }
})
