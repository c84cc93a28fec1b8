// A power loss cannot be staged here, so this watches which folders are flushed.

import type { FileHandle } from 'node:fs/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { makeFolder } from '../src/durable-folder.ts'

const disk = vi.hoisted(() => {
  const state: { readonly synced: Set<string>; refuses: string | undefined } = {
    synced: new Set(),
    refuses: undefined,
  }
  return state
})

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>()
  return {
    ...real,
    access: async (path: string) => {
      if (disk.refuses === undefined) return real.access(path)
      throw Object.assign(new Error('refused'), { code: disk.refuses })
    },
    open: async (path: string, flags: string): Promise<FileHandle> => {
      const handle = await real.open(path, flags)
      const sync = handle.sync.bind(handle)
      handle.sync = async () => {
        disk.synced.add(path)
        await sync()
      }
      return handle
    },
  }
})

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-folder-'))
  disk.synced.clear()
})

afterEach(async () => {
  disk.refuses = undefined
  await rm(root, { recursive: true, force: true })
})

test('a new folder and those above it have durable names', async () => {
  await makeFolder(join(root, 'a', 'b'))
  expect(disk.synced).toContain(join(root, 'a'))
  expect(disk.synced).toContain(root)
})

// Found by `npm run torture -- sim --store s3 --seed 3722 --count 1`.
test('a folder of which it is not known whether it is there counts as new', async () => {
  disk.refuses = 'EMFILE'
  await makeFolder(join(root, 'a', 'b'))
  expect(disk.synced).toContain(join(root, 'a'))
  expect(disk.synced).toContain(root)
})
