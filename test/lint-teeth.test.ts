// The linters are part of the gate: each rule that the house relies on is shown to catch a planted
// case, with the configuration of this repository.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const CONFIGURATION = [
  '.gitignore',
  '.oxlintrc.json',
  'biome.json',
  'package.json',
  'tsconfig.json',
]
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lint-'))
  for (const name of CONFIGURATION) cpSync(join(ROOT, name), join(folder, name))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  spawnSync('git', ['init', '-q'], { cwd: folder })
})
beforeEach(() => rmSync(join(folder, 'src'), { recursive: true, force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Files = Readonly<Record<string, string>>

/** The rules of `tool` that the files break, each once. */
function broken(tool: 'biome' | 'oxlint', files: Files): string[] {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, 'src', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const args = tool === 'biome' ? ['lint', '--error-on-warnings', 'src'] : ['--type-aware', 'src']
  const path = join(ROOT, 'node_modules', '.bin', tool)
  const { status, stdout, stderr } = spawnSync(path, args, { cwd: folder, encoding: 'utf8' })
  const output = stdout + stderr
  const found = [...output.matchAll(/lint\/\w+\/(\w+)|typescript\(([\w-]+)\)/g)]
  const rules = new Set(found.map(([, biome, oxlint]) => biome ?? oxlint ?? ''))
  if (rules.size === 0 && status !== 0) throw new Error(`${tool} failed:\n${output}`)
  expect(status === 0).toBe(rules.size === 0)
  return [...rules]
}

const promise = 'export async function work(): Promise<number> {\n  return 1\n}\n'

describe('biome', () => {
  const long = (lines: number) => `${'  console.count()\n'.repeat(lines).trimEnd()}\n`
  const cases: [rule: string, files: Files][] = [
    ['noExplicitAny', { 'a.ts': 'export const value: any = 1\n' }],
    ['noExplicitAny', { 'a.ts': 'export const list = (all: readonly any[]) => all.length\n' }],
    ['noExplicitAny', { 'a.ts': 'export const value = (1 as any) + 1\n' }],
    [
      'noImportCycles',
      {
        'a.ts': "import { b } from './b.ts'\n\nexport const a = (): number => b()\n",
        'b.ts': "import { c } from './c.ts'\n\nexport const b = (): number => c()\n",
        'c.ts': "import { a } from './a.ts'\n\nexport const c = (): number => a()\n",
      },
    ],
    ['noConsole', { 'a.ts': 'console.log(1)\n' }],
    ['noEnum', { 'a.ts': 'export enum Kind {\n  a = 1,\n}\n' }],
    ['noReExportAll', { 'a.ts': "export * from './b.ts'\n", 'b.ts': 'export const b = 1\n' }],
    ['noUndeclaredDependencies', { 'a.ts': "import { test } from 'vitest'\n\ntest('a', test)\n" }],
    ['useFilenamingConvention', { 'aB.ts': 'export const a = 1\n' }],
    ['noExcessiveLinesPerFunction', { 'a.ts': `export function a() {\n${long(71)}}\n` }],
    ['noExcessiveLinesPerFile', { 'a.ts': `export const a = [\n${'  1,\n'.repeat(400)}]\n` }],
  ]
  test.each(cases)('%s is caught', (rule, files) => {
    expect(broken('biome', files)).toContain(rule)
  })

  test('nothing is caught in clean files', () => {
    expect(broken('biome', { 'a.ts': promise })).toEqual([])
  })
})

describe('oxlint', () => {
  const floating: [what: string, code: string][] = [
    ['a call', 'work()'],
    ['a call in an arrow function', 'const f = () => {\n  work()\n}\nf()'],
    ['a then', 'work().then((n) => n + 1)'],
    ['a finally', 'work().finally(() => undefined)'],
    ['an async function called in place', '(async () => work())()'],
    ['a promise of Node', "import { writeFile } from 'node:fs/promises'\n\nwriteFile('a', '')"],
    ['a promise of a package', "import PQueue from 'p-queue'\n\nnew PQueue().add(work)"],
    ['a promise in a field', 'const { promise } = Promise.withResolvers<void>()\n;promise'],
  ]
  test.each(floating)('no-floating-promises: %s is caught', (_, code) => {
    const files = { 'work.ts': promise, 'a.ts': `import { work } from './work.ts'\n${code}\n` }
    expect(broken('oxlint', files)).toEqual(['no-floating-promises'])
  })

  const cases: [rule: string, code: string][] = [
    ['no-misused-promises', '[1].forEach(async () => {\n  await work()\n})'],
    ['no-misused-promises', 'if (work()) throw new Error()'],
    ['await-thenable', 'export const a = await 1'],
    ['require-array-sort-compare', '[1, 10].sort()'],
    ['switch-exhaustiveness-check', switchOver("case 'a': break")],
  ]
  test.each(cases)('%s is caught', (rule, code) => {
    const files = { 'work.ts': promise, 'a.ts': `import { work } from './work.ts'\n${code}\n` }
    expect(broken('oxlint', files)).toEqual([rule])
  })

  test('nothing is caught where promises are awaited, returned or dropped by void', () => {
    const code = 'await work()\nvoid work()\nexport const a = () => work()\n'
    const files = { 'work.ts': promise, 'a.ts': `import { work } from './work.ts'\n${code}` }
    expect(broken('oxlint', files)).toEqual([])
  })
})

function switchOver(body: string): string {
  return `export function f(kind: 'a' | 'b') {\n  switch (kind) {\n    ${body}\n  }\n}`
}
