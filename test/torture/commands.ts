// Suites of the repository that take a number: the properties, the deaths of workers and the demo.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Torture } from './torture.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
const KILLS = 5
const SECONDS_A_KILL = 8

/** Runs a program of the repository; throws unless it ends well. */
function run(args: readonly string[], env: NodeJS.ProcessEnv): string {
  const options = { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } } as const
  const { status } = spawnSync(process.execPath, args, options)
  if (status !== 0) throw new Error(`${args.join(' ')} must exit with 0, got ${status}`)
  return 'passed'
}

/** A test file that takes its number and its seed from the environment. */
function testFile(
  name: string,
  what: string,
  about: { readonly path: string; readonly number: string; readonly seed: string },
  counts: Torture['counts'],
): Torture {
  return {
    name,
    what,
    stores: ['memory'],
    counts,
    open: () =>
      Promise.resolve({
        chunk: counts.once,
        run: async (seed, count) => {
          const env = { [about.number]: String(count), [about.seed]: String(seed) }
          return run([VITEST, 'run', about.path, '--testTimeout', '3600000'], env)
        },
        close: () => Promise.resolve(),
      }),
  }
}

const demo: Torture = {
  name: 'demo',
  what: `runs the demo with ${KILLS} kills, and compares its files with the producer's record`,
  stores: ['local'],
  counts: { ci: 1, once: 5 },
  open: () =>
    Promise.resolve({
      run: async (seed) => {
        const folder = mkdtempSync(join(tmpdir(), 'millrace-torture-'))
        const seconds = String(KILLS * SECONDS_A_KILL)
        const how = ['--seconds', seconds, '--kill', String(KILLS), '--seed', String(seed)]
        try {
          const program = ['--conditions=millrace-src', 'demo/main.ts', '--fresh']
          return run([...program, ...how, '--folder', folder], {})
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      },
      close: () => Promise.resolve(),
    }),
}

export const commands: readonly Torture[] = [
  testFile(
    'properties',
    'compares random chains of operators with plain arrays',
    { path: 'test/property', number: 'PROPERTY_RUNS', seed: 'PROPERTY_SEED' },
    { ci: 1_000, once: 10_000 },
  ),
  testFile(
    'deaths',
    'ends the threads of workers at random tasks',
    { path: 'test/workers/deaths.test.ts', number: 'WORKER_DEATHS', seed: 'WORKER_DEATHS_SEED' },
    { ci: 50, once: 1_000 },
  ),
  demo,
]
