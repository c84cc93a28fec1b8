// The examples of the docs as modules: the @example of each docstring in src/, and the ts blocks of
// README and docs/ (those marked `no-run` need a real stream and are left out).

import { join, relative } from 'node:path'
import { filesUnder, ROOT, type SourceFile } from '../tidy/source-file.ts'
import { declarationsFor, ENTRIES, exportsOf } from './public-surface.ts'

/** One example. */
export interface Example {
  /** File and line. */
  readonly where: string
  readonly code: string
  /** The source file that the example documents, if any. */
  readonly source: SourceFile | undefined
}

const IN_DOCSTRING = /@example\n((?:\s*\* ?.*\n)*?)\s*\* ```(?: \*\/)?\n/g
const IN_PAGE = /^```ts\n([\s\S]*?)^```$/gm

/** All examples that run. */
export function allExamples(): Example[] {
  const sources = filesUnder('src', ['.ts']).flatMap((source) =>
    [...source.text.matchAll(IN_DOCSTRING)].map((match) => {
      const lines = (match[1] ?? '').split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
      const code = lines.filter((line) => !line.startsWith('```')).join('\n')
      return { where: `${source.path}:${source.lineAt(match.index)}`, code, source }
    }),
  )
  const pages = [...filesUnder('docs', ['.md']), ...filesUnder('', ['README.md'])].flatMap((page) =>
    [...page.text.matchAll(IN_PAGE)].map((match) => {
      const where = `${page.path}:${page.lineAt(match.index)}`
      return { where, code: match[1] ?? '', source: undefined }
    }),
  )
  return [...sources, ...pages]
}

// What examples use without importing it: they are about millrace.
const OF_OTHERS: readonly (readonly [module: string, names: readonly string[]])[] = [
  ['node:fs/promises', ['mkdtemp', 'readFile', 'readdir', 'writeFile']],
  ['node:os', ['tmpdir']],
  ['node:path', ['join']],
  ['@aws-sdk/client-kinesis', ['CreateStreamCommand', 'KinesisClient']],
]

const types = new Set(
  [...declarationsFor().values()]
    .filter(({ kind }) => kind === 'interface' || kind === 'type')
    .map(({ name }) => name),
)

/** The text of the module that runs an example from `folder`: its imports, then its code. */
export function moduleOf({ code, source }: Example, folder: string): string {
  const imported = new Set(
    [...code.matchAll(/import (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.replace(/^\s*type /, '').trim()),
    ),
  )
  const lines: string[] = []
  const take = (names: readonly string[], from: string): void => {
    const wanted = names.filter(
      (name) => new RegExp(`\\b${name}\\b`).test(code) && !imported.has(name),
    )
    for (const name of wanted) imported.add(name)
    const list = wanted.map((name) => (types.has(name) ? `type ${name}` : name)).join(', ')
    if (wanted.length > 0) lines.push(`import { ${list} } from '${from}'`)
  }
  if (!/from 'node:assert/.test(code) && /\bassert\b/.test(code)) {
    lines.push(`import assert from 'node:assert/strict'`)
  }
  if (source !== undefined) {
    const specifier = relative(folder, join(ROOT, source.path))
    take(exportsOf(source), specifier)
  }
  for (const [entry, file] of ENTRIES) take(exportsOf(file), entry)
  for (const [module, names] of OF_OTHERS) take(names, module)
  return `${lines.join('\n')}\n${code}\nexport {}\n`
}

/** The name of an example's file. */
export function fileNameOf({ where }: Example): string {
  return `${where.replace(/[^\w]+/g, '-')}.ts`
}
