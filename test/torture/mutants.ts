// Planted mistakes: each is put into a copy of the sources, and the suite that should catch it must
// fail there. The first case is the copy without any mistake: there the suites pass.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Catcher, MUTANTS, type Mutant, type Replacement } from './mutants/mutants.ts'
import type { Suite, Torture } from './torture.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const COPIED = ['package.json', 'tsconfig.json', 'vitest.config.ts', 'src', 'test'] as const
const VITEST = join('node_modules', 'vitest', 'vitest.mjs')
const RUN_MS_MAX = 120_000

export const mutants: Torture = {
  name: 'mutants',
  what: 'plants mistakes in a copy of the sources, which the suites must catch',
  stores: ['local'],
  counts: { ci: MUTANTS.length + 1, once: MUTANTS.length + 1 },
  async open(): Promise<Suite> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-mutants-'))
    for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true })
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    return {
      cases: MUTANTS.length + 1,
      run: (seed) => (seed === 1 ? control(folder) : caught(folder, MUTANTS[seed - 2] as Mutant)),
      close: () => rm(folder, { recursive: true, force: true }),
    }
  },
}

/** The suites pass without a mistake; test files run together, tortures one by one. */
async function control(folder: string): Promise<string> {
  const catchers = MUTANTS.map(({ caughtBy }) => caughtBy)
  const tests = new Set(catchers.flatMap((one) => ('test' in one ? [one.test] : [])))
  const tortures = new Map(
    catchers.flatMap((one) => ('torture' in one ? [[one.torture, one] as const] : [])),
  )
  const runs = [vitest([...tests]), ...[...tortures.values()].map(commandOf)]
  for (const args of runs) {
    const { code, output } = await run(folder, args)
    if (code !== 0) throw new Error(`${args.join(' ')} must pass as it is:\n${output}`)
  }
  return 'passed as it is'
}

async function caught(folder: string, { name, replacements, caughtBy }: Mutant): Promise<string> {
  const files = [...new Set(replacements.map(({ file }) => file))]
  const before = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  try {
    for (const replacement of replacements) await plant(folder, name, replacement)
    const args = commandOf(caughtBy)
    const { code, output } = await run(folder, args)
    if (code === 0) throw new Error(`"${name}" must be caught by ${args.slice(1).join(' ')}`)
    // A suite that could not even start has caught nothing.
    if (/No test files found|SyntaxError|ERR_MODULE_NOT_FOUND/.test(output)) {
      throw new Error(`"${name}": the suite does not run:\n${output}`)
    }
    return 'caught'
  } finally {
    await Promise.all(files.map((file, i) => writeFile(join(folder, file), before[i] ?? '')))
  }
}

async function plant(
  folder: string,
  name: string,
  { file, find, replace, times = 1 }: Replacement,
): Promise<void> {
  const path = join(folder, file)
  const parts = (await readFile(path, 'utf8')).split(find)
  if (parts.length !== times + 1) {
    throw new Error(
      `Mutant "${name}": ${file} must hold the text ${times} times, got ` +
        `${parts.length - 1}; follow the code in test/torture/mutants/: ${find}`,
    )
  }
  await writeFile(path, parts.join(replace))
}

function vitest(files: readonly string[], only?: string): string[] {
  const names = only === undefined ? [] : ['-t', only]
  return [VITEST, 'run', ...files, ...names, '--bail', '1']
}

function commandOf(catcher: Catcher): string[] {
  if ('test' in catcher) return vitest([catcher.test], catcher.only)
  const { torture, count, store } = catcher
  const where = store === undefined ? [] : ['--store', store]
  const program = ['--conditions=millrace-src', 'test/torture/main.ts']
  return [...program, torture, '--count', String(count), ...where]
}

/** Runs Node in the copy; gives what it wrote. Rejects where it does not end: that may be a slow
 * machine, and says nothing of a mutant. */
async function run(
  folder: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  // What this run is told by the one above it, such as which worker it is, is not for the copy.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_OPTIONS)/.test(name)),
  )
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-8_000)
    })
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal !== null) {
    throw new Error(`${args.join(' ')} must end within ${RUN_MS_MAX} ms, got ${signal}:\n${output}`)
  }
  return { code, output }
}
