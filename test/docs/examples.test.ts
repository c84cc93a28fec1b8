// Every example of the docs compiles and runs.

import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { filesUnder, ROOT } from '../tidy/source-file.ts'
import { allExamples, fileNameOf, moduleOf } from './examples.ts'

const MADE = join(ROOT, 'test', '.examples')
const examples = allExamples().map((example) => [example.where, example] as const)

// An example may show a value without reading it.
const TSCONFIG = JSON.stringify({
  extends: '../../tsconfig.json',
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, rootDir: '../..' },
  include: ['*.ts'],
})

beforeAll(async () => {
  await mkdir(MADE, { recursive: true })
  await writeFile(join(MADE, 'tsconfig.json'), TSCONFIG)
  for (const [, example] of examples) {
    await writeFile(join(MADE, fileNameOf(example)), moduleOf(example, MADE))
  }
})
afterAll(() => rm(MADE, { recursive: true, force: true }))

test('none is overlooked', () => {
  const written = filesUnder('src', ['.ts']).flatMap((file) => file.text.match(/@example/g) ?? [])
  expect(examples.filter(([, { source }]) => source !== undefined)).toHaveLength(written.length)
})

test('all of them compile', { timeout: 60_000 }, () => {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', MADE], { encoding: 'utf8' })
  expect(stdout.split('\n').filter((line) => line !== '')).toEqual([])
})

describe('each of them runs', () => {
  test.each(examples)('%s', async (_where, example) => {
    await import(pathToFileURL(join(MADE, fileNameOf(example))).href)
  })
})
