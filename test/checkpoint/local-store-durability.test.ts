// A power loss cannot be staged here, so this watches what LocalStore asks of the file system, and
// in which order.

import type { FileHandle } from 'node:fs/promises'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { files } from 'millrace/sinks'
import { quietLogger } from 'millrace/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LocalStore } from '../../src/checkpoint/local-store.ts'

const calls = vi.hoisted((): string[] => [])

vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof import('node:fs/promises')>()
  const nameOf = (path: unknown): string => {
    const name = basename(String(path))
    return name.endsWith('.part') ? 'part' : name
  }
  const watched = (handle: FileHandle, path: unknown): FileHandle => {
    for (const method of ['writeFile', 'appendFile', 'sync', 'datasync'] as const) {
      const call = handle[method].bind(handle) as (...args: unknown[]) => Promise<void>
      handle[method] = (...args: unknown[]) => {
        calls.push(`${method} ${nameOf(path)}`)
        return call(...args)
      }
    }
    return handle
  }
  return {
    ...real,
    open: async (path: string, flags: string | number) =>
      watched(await real.open(path, flags), path),
    link: (from: string, to: string) => {
      calls.push(`link ${nameOf(from)} ${nameOf(to)}`)
      return real.link(from, to)
    },
  }
})

let root: string
let store: LocalStore

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-durability-'))
  store = new LocalStore(join(root, 'state'))
  await store.open()
  calls.length = 0
})

afterEach(async () => {
  await store.close()
  await rm(root, { recursive: true, force: true })
})

test('LocalStore flushes an object before it has its name, and the folder after', async () => {
  await store.createIfAbsent('slots/1.log', Buffer.from('claim'))
  calls.length = 0
  await store.createIfAbsent('slots/2.log', Buffer.from('claim'))
  expect(calls).toEqual(['writeFile part', 'datasync part', 'link part 2.log', 'sync slots'])
})

test('LocalStore flushes the name of a new folder before it publishes in it', async () => {
  await store.createIfAbsent('epoch-1/snapshot-1.bin', Buffer.from('state'))
  expect(calls.indexOf('sync state')).toBeGreaterThanOrEqual(0)
  expect(calls.indexOf('sync state')).toBeLessThan(calls.indexOf('link part snapshot-1.bin'))
  expect(calls.at(-1)).toBe('sync epoch-1')
})

test('LocalStore flushes the name of a folder that another process made, once', async () => {
  await mkdir(join(root, 'state', 'slots'))
  calls.length = 0
  await store.createIfAbsent('slots/1.log', Buffer.from('claim'))
  expect(calls).toContain('sync state')
  expect(calls.indexOf('sync state')).toBeLessThan(calls.indexOf('link part 1.log'))
  calls.length = 0
  await store.createIfAbsent('slots/2.log', Buffer.from('claim'))
  expect(calls).not.toContain('sync state')
})

test('LocalStore flushes the name of a folder that was removed and made again', async () => {
  await store.createIfAbsent('epoch-1/snapshot-1.bin', Buffer.from('given up'))
  await store.delete('epoch-1/snapshot-1.bin')
  await store.put('epoch-1/heartbeat', Buffer.from('1'))
  calls.length = 0
  await store.createIfAbsent('epoch-1/snapshot-2.bin', Buffer.from('state'))
  expect(calls).toContain('sync state')
  expect(calls.indexOf('sync state')).toBeLessThan(calls.indexOf('link part snapshot-2.bin'))
})

test('the files sink flushes the name of its folder', async () => {
  const context = { pipeline: 'p', outputId: 0, epoch: 1, logger: quietLogger, retried: () => {} }
  const writer = await files(join(root, 'out', 'words')).open(context)
  expect(calls).toContain(`sync ${basename(root)}`)
  expect(calls).toContain('sync out')
  await writer.close()
})

test('LocalStore flushes nothing at an append, and the data at a sync', async () => {
  await store.createIfAbsent('a', Buffer.from('1'))
  calls.length = 0
  await store.append('a', Buffer.from('2'))
  expect(calls).toEqual(['appendFile a'])
  await store.sync('a')
  expect(calls).toEqual(['appendFile a', 'datasync a'])
})

test('LocalStore flushes at a sync what another process appended', async () => {
  await store.createIfAbsent('a', Buffer.from('1'))
  calls.length = 0
  await new LocalStore(join(root, 'state')).sync('a')
  expect(calls).toEqual(['datasync a'])
})
