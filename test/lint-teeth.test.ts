// The linter is part of the gate: each rule that the house relies on is shown to catch a planted
// case.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-lint-'))
  for (const name of ['.oxlintrc.json', 'biome.json', 'tsconfig.json', 'package.json']) {
    cpSync(join(ROOT, name), join(folder, name))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  spawnSync('git', ['init', '-q'], { cwd: folder })
  cpSync(join(ROOT, '.gitignore'), join(folder, '.gitignore'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const planted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  noFloatingPromises: {
    'a.ts': 'async function work(): Promise<void> {}\nexport function run(): void {\n  work()\n}\n',
  },
  noExplicitAny: { 'a.ts': 'export const value: any = 1\n' },
  noImportCycles: {
    'a.ts': "import { b } from './b.ts'\n\nexport const a = (): number => b()\n",
    'b.ts': "import { a } from './a.ts'\n\nexport const b = (): number => a()\n",
  },
}

const tools: Readonly<Record<string, readonly [string, ...string[]]>> = {
  noFloatingPromises: ['oxlint', '--type-aware', '.'],
}

test.each(Object.entries(planted))('%s is caught', (rule, files) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const [tool, ...args] = tools[rule] ?? ['biome', 'lint', '.']
  const path = join(ROOT, 'node_modules', '.bin', tool)
  const child = spawnSync(path, args, { cwd: folder, encoding: 'utf8' })
  for (const name of Object.keys(files)) rmSync(join(folder, name))
  expect(child.status).not.toBe(0)
  const dashed = rule.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  expect(child.stdout + child.stderr).toMatch(new RegExp(`${rule}|${dashed}`))
})
