import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { claimFolder, emptyFolder } from '../../demo/demo-folder.ts'
import { readOptions, UsageError } from '../../demo/options.ts'
import { makeFolder, removeFolder } from './made-folder.ts'

describe('readOptions()', () => {
  test('runs without an end in ./demo-out when nothing is given', () => {
    expect(readOptions([])).toMatchObject({
      seconds: undefined,
      kills: 0,
      fresh: false,
      folder: resolve('demo-out'),
    })
  })

  test('reads every option', () => {
    const args = ['--seconds', '40', '--kill', '5', '--fresh', '--seed', '7', '--folder', 'here']
    expect(readOptions(args)).toEqual({
      seconds: 40,
      kills: 5,
      fresh: true,
      seed: 7,
      folder: resolve('here'),
    })
  })

  test('gives nothing where help is wanted', () => {
    expect(readOptions(['--help'])).toBeUndefined()
  })

  test.each([
    { args: ['--second', '3'], says: "Unknown option '--second'" },
    { args: ['--seconds', 'ten'], says: 'Cannot use --seconds "ten": it must be a whole number' },
    { args: ['--seconds', '0'], says: 'from 1 to 86400' },
    { args: ['--kill', '5'], says: 'Cannot use --kill 5 alone' },
    { args: ['--seconds', '5', '--kill', '5'], says: 'use --seconds 10, or --kill 2' },
  ])('refuses $args', ({ args, says }) => {
    expect(() => readOptions(args)).toThrow(UsageError)
    expect(() => readOptions(args)).toThrow(says)
  })
})

describe('claimFolder()', () => {
  test('takes an empty folder, and takes it again', async () => {
    const folder = await makeFolder()
    await claimFolder(folder)
    await emptyFolder(folder)
    await claimFolder(folder)
    await removeFolder(folder)
  })

  test('refuses a folder with files of somebody else', async () => {
    const folder = await makeFolder()
    await writeFile(join(folder.root, 'letter.txt'), 'dear')
    await expect(claimFolder(folder)).rejects.toThrow('it holds "letter.txt"')
    await removeFolder(folder)
  })
})
