import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

function bench(...args: string[]) {
  const all = ['--conditions=millrace-src', 'bench/main.ts', ...args]
  return spawnSync(process.execPath, all, { cwd: ROOT, encoding: 'utf8', timeout: 20_000 })
}

test.each(['fused-chain', 'word-count', 'empty-batch'])('bench %s answers its question', (name) => {
  const { stdout, stderr, status } = bench(name, '--runs', '3', '--records', '100', '--no-save')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/p50/)
  expect(stdout).toMatch(/commit \w+/)
  expect(status).toBe(0)
})

test('bench names its questions when it is asked none', () => {
  expect(bench().stderr).toContain('fused-chain')
})
