// That the questions of the bench can be asked, and that its contestants agree; no figure is looked
// at.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { workloads } from '../../bench/comparison/workloads.ts'
import { measureCell } from '../../bench/latency/latency.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const RESULTS = new URL('../../bench/results/', import.meta.url)
const QUESTIONS = [
  ...['fused-chain', 'empty-batch', 'window-slides', 'memory', 'recovery', 'commit-cost'],
  ...['event-loop', 'kinesis', 'kinesis-servers'],
]
/** Each starts processes of its own, which a loaded machine starts slowly. */
const TIMEOUT_MS = 120_000
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function bench(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const all = ['--conditions=millrace-src', 'bench/main.ts', ...args]
  return spawnSync(process.execPath, all, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, TMPDIR: folder, ...env },
  })
}

function savedResults(): (readonly [string, number])[] {
  return readdirSync(RESULTS).map((name) => [name, statSync(new URL(name, RESULTS)).mtimeMs])
}

describe('bench', { timeout: TIMEOUT_MS }, () => {
  test.each(QUESTIONS)('%s answers its question and saves nothing unasked', (name) => {
    const before = savedResults()
    const { stdout, stderr, status } = bench([
      ...[name, '--rounds', '2', '--records', '10', '--seconds', '1', '--no-save'],
    ])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/p50|p99|p10|resident/)
    expect(stdout).toMatch(/seed 1, 2 rounds, 1 s, 10 records a batch\n/)
    expect(stdout).toMatch(/commit \w+/)
    expect(status).toBe(0)
    expect(savedResults()).toEqual(before)
  })

  test('gives figures of a workload, without the peers where there is no Java', () => {
    const args = ['windowed-join', '--peers', '--rounds', '1', '--records', '100', '--no-save']
    const { stdout, status } = bench(args, { PATH: dirname(process.execPath) })
    expect(stdout).not.toContain('its result is wrong')
    for (const name of ['hand-written, 1 thread', 'hand-written, 2 threads', 'millrace inline']) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\d`, 'm'))
    }
    expect(stdout).toMatch(/^millrace 2 workers, LocalStore +\d.* \d+\.\d$/m)
    expect(stdout).toMatch(/left out: Spark.*; Flink.*: Java is not installed: install a JDK/)
    expect(stdout).toMatch(/to reach: 2 workers : Spark DStream, local\[2\] ≥ 4: not measured/)
    expect(status).toBe(0)
  })

  test('latency sees every line that was sent, with a checkpoint too', async () => {
    vi.stubEnv('TMPDIR', folder)
    const cell = { workers: 0, rate: 200, intervalMs: 10, checkpoint: true }
    const row = await measureCell(cell, 0.5, join(folder, 'latency'))
    vi.unstubAllEnvs()
    expect(row).toMatchObject({ engine: 'millrace inline, LocalStore', 'lines/s': 200, lines: 100 })
    expect(Number(row['p50'])).toBeGreaterThan(0)
    expect(Number(row['fsync p99'])).toBeGreaterThan(0)
  })

  test('is bounded by --seconds', () => {
    const args = ['fused-chain', '--seconds', '0.2', '--records', '100', '--no-save']
    const { stdout, status } = bench(args)
    expect(stdout).toMatch(/seed 1, 0.2 s, 100 records a batch\n/)
    expect(status).toBe(0)
  })

  test('names its questions when it is asked none, or another', () => {
    const none = bench([])
    const other = bench(['fused'])
    for (const name of [...QUESTIONS, ...workloads.map((workload) => workload.name), 'latency']) {
      expect(none.stdout).toContain(name)
      expect(other.stderr).toContain(name)
    }
    expect([none.status, other.status]).toEqual([0, 1])
  })
})
