import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalStore, refused } from '../../src/checkpoint/local-store.ts'
import { testStoreContract } from './store-contract.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-store-'))
})

afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

testStoreContract('LocalStore', () => {
  const dir = join(root, 'state')
  return { store: new LocalStore(dir), other: new LocalStore(dir) }
})

test('LocalStore opens no file before it is opened', async () => {
  expect(new LocalStore(join(root, 'state')).location).toContain('state')
  expect(await readdir(root)).toEqual([])
})

test('LocalStore has the same location through a symbolic link, made or not made yet', async () => {
  await mkdir(join(root, 'real'))
  await symlink(join(root, 'real'), join(root, 'link'))
  const { location } = new LocalStore(join(root, 'real', 'state', 'a'))
  expect(new LocalStore(join(root, 'link', 'state', 'a')).location).toBe(location)
})

test('LocalStore removes what dead writers left in tmp, and nothing else', async () => {
  await mkdir(join(root, 'tmp'))
  await writeFile(join(root, 'tmp', `123-${randomUUID()}.part`), 'half an object')
  await writeFile(join(root, 'tmp', 'notes.txt'), 'of the user')
  await new LocalStore(root).open()
  expect(await readdir(join(root, 'tmp'))).toEqual(['notes.txt'])
})

test('LocalStore leaves nothing in tmp, whether it wins a name or not', async () => {
  const store = new LocalStore(root)
  await store.open()
  await store.createIfAbsent('a', Buffer.from('1'))
  await store.createIfAbsent('a', Buffer.from('2'))
  expect(await readdir(join(root, 'tmp'))).toEqual([])
})

test('LocalStore publishes though another start sweeps its temporary file meanwhile', async () => {
  const store = new LocalStore(root)
  await store.open()
  const creating = store.createIfAbsent('a', Buffer.alloc(30_000_000, 1))
  let names: string[] = []
  while (names.length === 0) names = await readdir(join(root, 'tmp'))
  await new LocalStore(root).open()
  expect(await creating).toBe(true)
  expect(await store.read('a')).toHaveLength(30_000_000)
})

test('LocalStore removes the folder of an epoch with its last object', async () => {
  const store = new LocalStore(root)
  await store.open()
  await store.createIfAbsent('epoch-1/a', Buffer.from('1'))
  await store.createIfAbsent('epoch-1/b', Buffer.from('1'))
  await store.delete('epoch-1/a')
  expect(await readdir(root)).toContain('epoch-1')
  await store.delete('epoch-1/b')
  expect(await readdir(root)).not.toContain('epoch-1')
})

test('LocalStore says what to check when a file is where its folder should be', async () => {
  await writeFile(join(root, 'state'), '')
  const opened = new LocalStore(join(root, 'state')).open()
  await expect(opened).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
  await expect(opened).rejects.toThrow(`local:${join(root, 'state')}`)
  await expect(opened).rejects.toThrow('a file is in the way')
})

test('LocalStore names the folder, the permission and the way out for each refusal', () => {
  const message = (code: string): string => {
    return refused('local:/data/state', Object.assign(new Error(`${code}: no`), { code })).message
  }
  expect(message('EACCES')).toContain('must be allowed to read, write and link')
  expect(message('EROFS')).toContain('read-only')
  expect(message('ENOSPC')).toContain('free space and start again, what was committed is kept')
  expect(message('ENOTSUP')).toContain('hard links')
  expect(message('EIO')).toContain('check the folder and the disk')
  expect(message('EIO')).toContain('"local:/data/state"')
})

test('LocalStore refuses a name that leads out of its folder', async () => {
  const store = new LocalStore(join(root, 'state'))
  await store.open()
  for (const name of ['../a', 'a/../../b', '/a', 'tmp/a', '']) {
    await expect(store.read(name)).rejects.toThrow('cannot name an object')
  }
})
