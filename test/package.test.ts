// The package as its users get it: what is in it, and that each entry compiles and loads from a
// project that knows nothing of this repository's own condition.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireBuilt } from './built.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly exports: Record<string, string | Readonly<Record<string, string>>>
}
const entries = Object.entries(manifest.exports).flatMap(([entry, targets]) =>
  typeof targets === 'string' ? [] : [{ specifier: entry.replace(/^\./, 'millrace'), targets }],
)

test.each(entries)('$specifier offers sources, types and code, in this order', ({ targets }) => {
  expect(Object.keys(targets)).toEqual(['millrace-src', 'types', 'default'])
  const name = targets['millrace-src']?.replace(/^\.\/src\/(.*)\.ts$/, './dist/$1')
  expect([targets['types'], targets['default']]).toEqual([`${name}.d.ts`, `${name}.js`])
})

describe.skipIf(!requireBuilt())('the built package', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-user-'))
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(ROOT, join(folder, 'node_modules', 'millrace'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  function run(command: string, args: readonly string[], cwd: string) {
    const { NODE_OPTIONS: _, ...env } = process.env
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
    return { status, output: status === 0 ? stdout : stdout + stderr }
  }

  test('holds what it exports, its sources and the licence, and nothing of the workshop', () => {
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error']
    const { status, output } = run('npm', pack, ROOT)
    expect({ status, output: status === 0 ? '' : output }).toEqual({ status: 0, output: '' })
    const [packed] = JSON.parse(output) as [{ files: { path: string }[] }]
    const paths = packed.files.map(({ path }) => path)
    const exported = entries.flatMap(({ targets }) => Object.values(targets))
    expect(paths).toEqual(expect.arrayContaining(exported.map((path) => path.slice(2))))
    expect(paths).toContain('LICENSE')
    const roots = new Set(paths.filter((path) => path.includes('/')).map((p) => p.split('/')[0]))
    expect(roots).toEqual(new Set(['dist', 'src']))
  })

  test('compiles and loads for a strict user, by each entry', () => {
    const imports = entries.map(({ specifier }, i) => `import * as e${i} from '${specifier}'`)
    const names = entries.map((_, i) => `e${i}`).join(', ')
    const look = `for (const e of [${names}]) if (Object.keys(e).length === 0) throw new Error()`
    writeFileSync(join(folder, 'user.ts'), [...imports, look].join('\n'))
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    const types = join(ROOT, 'node_modules', '@types')
    const options = [
      ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023'],
      ['--lib', 'es2024,esnext.disposable', '--types', 'node', '--typeRoots', types],
    ].flat()
    const compiled = run(process.execPath, [tsc, ...options, 'user.ts'], folder)
    expect(compiled).toEqual({ status: 0, output: '' })
    expect(run(process.execPath, ['user.ts'], folder)).toEqual({ status: 0, output: '' })
  })
})
