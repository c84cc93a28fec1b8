// npm run torture [-- --runs N] [--deaths N] [--demos N] [--kills N] [--seed N]: the properties,
// the deaths of workers and the demo's kills, with bigger numbers. The same code as in the tests;
// it ends with the first failure, and prints its seed.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const SECONDS_A_KILL = 8

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    deaths: { type: 'string', default: '1000' },
    demos: { type: 'string', default: '5' },
    kills: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
})

function run(what: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  console.log(`\n== ${what}`)
  const options = { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } } as const
  const { status } = spawnSync(process.execPath, args, options)
  if (status === 0) return
  console.error(`${what}: failed`)
  process.exit(1)
}

const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
run(
  `properties, ${values.runs} runs`,
  [vitest, 'run', 'test/property', '--testTimeout', '3600000'],
  {
    PROPERTY_RUNS: values.runs,
  },
)

run(
  `deaths of workers, ${values.deaths}`,
  [vitest, 'run', 'test/workers/deaths.test.ts', '--testTimeout', '3600000'],
  { WORKER_DEATHS: values.deaths },
)

const kills = Number(values.kills)
for (let i = 0; i < Number(values.demos); i++) {
  const seed = String(Number(values.seed) + i)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-torture-'))
  const seconds = String(kills * SECONDS_A_KILL)
  const args = ['--seconds', seconds, '--kill', String(kills), '--seed', seed, '--folder', folder]
  run(`demo, ${kills} kills, seed ${seed}`, [
    '--conditions=millrace-src',
    'demo/main.ts',
    '--fresh',
    ...args,
  ])
  rmSync(folder, { recursive: true, force: true })
}
