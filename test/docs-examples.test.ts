// Every example of the docs runs: the @example of each docstring in src/, and the ts blocks of
// README and docs/ (those marked `no-run` need a real stream and are only checked for their
// imports).

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const MADE = join(ROOT, 'test', '.examples')

interface Example {
  readonly where: string
  readonly code: string
  /** The source file that the example documents, if any. */
  readonly source: string | undefined
}

const ENTRIES: Readonly<Record<string, string>> = {
  millrace: 'src/index.ts',
  'millrace/kinesis': 'src/receivers/kinesis/index.ts',
  'millrace/sources': 'src/receivers/sources.ts',
  'millrace/sinks': 'src/sinks/index.ts',
  'millrace/testing': 'src/testing/index.ts',
}

/** The names that a file exports, in this file or from another. */
async function exportsOf(path: string): Promise<string[]> {
  const text = await readFile(join(ROOT, path), 'utf8')
  const listed = [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.replace(/^\s*type /, '').trim()),
  )
  const declared = [...text.matchAll(DECLARATION)].map((match) => match[2] ?? '')
  return [...new Set([...listed, ...declared])].filter((name) => name !== '')
}

const DECLARATION =
  /^export (?:declare )?(async function|function|abstract class|class|const|interface|type) (\w+)/gm

async function filesUnder(folder: string, extension: string): Promise<string[]> {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
}

async function docstringExamples(): Promise<Example[]> {
  const examples: Example[] = []
  for (const source of await filesUnder('src', '.ts')) {
    const text = await readFile(join(ROOT, source), 'utf8')
    for (const match of text.matchAll(/@example\n((?:\s*\* ?.*\n)*?)\s*\* ```\n/g)) {
      const lines = (match[1] ?? '').split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
      const code = lines.filter((line) => !line.startsWith('```')).join('\n')
      const line = text.slice(0, match.index).split('\n').length
      examples.push({ where: `${source}:${line}`, code, source })
    }
  }
  return examples
}

async function pageExamples(): Promise<Example[]> {
  const pages = ['README.md', ...(await filesUnder('docs', '.md'))]
  const examples: Example[] = []
  for (const page of pages) {
    const text = await readFile(join(ROOT, page), 'utf8')
    for (const match of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split('\n').length
      examples.push({ where: `${page}:${line}`, code: match[1] ?? '', source: undefined })
    }
  }
  return examples
}

/** Imports of the names that an example uses and neither declares nor imports. */
async function preludeOf({ code, source }: Example, path: string): Promise<string> {
  const used = (name: string) => new RegExp(`\\b${name}\\b`).test(code)
  const imported = new Set(
    [...code.matchAll(/import (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
      names.split(',').map((name) => name.replace(/^\s*type /, '').trim()),
    ),
  )
  const lines: string[] = []
  const take = (names: readonly string[], from: string): void => {
    const wanted = names.filter((name) => used(name) && !imported.has(name))
    for (const name of wanted) imported.add(name)
    if (wanted.length > 0) lines.push(`import { ${wanted.join(', ')} } from '${from}'`)
  }
  if (!/from 'node:assert/.test(code) && used('assert')) {
    lines.push(`import assert from 'node:assert/strict'`)
  }
  if (source !== undefined) {
    const specifier = relative(dirname(path), join(ROOT, source))
    take(await exportsOf(source), specifier)
  }
  for (const [entry, file] of Object.entries(ENTRIES)) take(await exportsOf(file), entry)
  return lines.join('\n')
}

const examples = [...(await docstringExamples()), ...(await pageExamples())]

beforeAll(() => mkdir(MADE, { recursive: true }))
afterAll(() => rm(MADE, { recursive: true, force: true }))

describe('examples in the docs run', () => {
  test.each(examples.map((example) => [example.where, example] as const))(
    '%s',
    async (where, example) => {
      const path = join(MADE, `${where.replace(/[^\w]+/g, '-')}.ts`)
      await writeFile(path, `${await preludeOf(example, path)}\n${example.code}\nexport {}\n`)
      await import(pathToFileURL(path).href)
    },
  )
})

describe('what is exported is documented', () => {
  test('every public name has a docstring, and every public value an example', async () => {
    const texts = new Map<string, string>()
    for (const path of await filesUnder('src', '.ts')) {
      texts.set(path, await readFile(join(ROOT, path), 'utf8'))
    }
    const missing: string[] = []
    for (const [entry, file] of Object.entries(ENTRIES)) {
      for (const name of await exportsOf(file)) missing.push(...faultsOf(name, entry, texts))
    }
    expect(missing).toEqual([])
  })
})

/** What is missing from the docs of one public name. */
function faultsOf(name: string, entry: string, texts: ReadonlyMap<string, string>): string[] {
  for (const text of texts.values()) {
    for (const match of text.matchAll(DECLARATION)) {
      if (match[2] !== name) continue
      const before = text.slice(0, match.index)
      const doc = before.trimEnd().endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
      if (doc === '') return [`${entry}: ${name} has no docstring`]
      const isType = match[1] === 'interface' || match[1] === 'type'
      return isType || doc.includes('@example') ? [] : [`${entry}: ${name} has no example`]
    }
  }
  return [`${entry}: ${name} is declared nowhere`]
}
