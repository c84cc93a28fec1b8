// That the questions of the bench can be asked; no figure is looked at.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const QUESTIONS = ['fused-chain', 'word-count', 'empty-batch']

function bench(...args: string[]) {
  const all = ['--conditions=millrace-src', 'bench/main.ts', ...args]
  return spawnSync(process.execPath, all, { cwd: ROOT, encoding: 'utf8', timeout: 20_000 })
}

function savedResults(): (readonly [string, number])[] {
  const folder = new URL('../bench/results/', import.meta.url)
  return readdirSync(folder).map((name) => [name, statSync(new URL(name, folder)).mtimeMs])
}

test.each(QUESTIONS)('bench %s answers its question and saves nothing unasked', (name) => {
  const before = savedResults()
  const { stdout, stderr, status } = bench(name, '--runs', '3', '--records', '100', '--no-save')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/p50/)
  expect(stdout).toMatch(/seed 1, 3 runs, 100 records a batch\n/)
  expect(stdout).toMatch(/commit \w+/)
  expect(status).toBe(0)
  expect(savedResults()).toEqual(before)
})

test('bench is bounded by --seconds', () => {
  const args = ['--seconds', '0.2', '--records', '100', '--no-save'] as const
  const { stdout, status } = bench('word-count', ...args)
  expect(stdout).toMatch(/seed 1, 0.2 s, 100 records a batch\n/)
  expect(status).toBe(0)
})

test('bench names its questions when it is asked none, or another', () => {
  const none = bench()
  const other = bench('fused')
  for (const name of QUESTIONS) {
    expect(none.stdout).toContain(name)
    expect(other.stderr).toContain(name)
  }
  expect([none.status, other.status]).toEqual([0, 1])
})
