// The house rules as a test, over the repository as it is; then each rule over a planted breach,
// so that a rule that stopped biting fails here. Names, function and file lengths, `any`, import
// cycles and floating promises are the linters' rules: see lint-teeth.test.ts.

import { describe, expect, test } from 'vitest'
import { codesOf, neverThrown, unexplained } from './tidy/error-codes.ts'
import {
  impureCalls,
  longLines,
  machinePaths,
  namelessTests,
  notReExports,
  sleepingTests,
  unfinishedMarks,
  unstrippableSyntax,
  vagueNames,
} from './tidy/house-rules.ts'
import { layerViolations } from './tidy/layer-rule.ts'
import { LAYERS } from './tidy/layers.ts'
import { filesUnder, importsOf, SourceFile } from './tidy/source-file.ts'

const CODE = ['.ts', '.mjs']
const src = filesUnder('src', ['.ts'])
const tests = filesUnder('test', ['.ts'])
const bench = filesUnder('bench', CODE)
const demo = filesUnder('demo', CODE)
const examples = filesUnder('examples', CODE)
const scripts = filesUnder('scripts', CODE)
const code = [...src, ...tests, ...bench, ...demo, ...examples, ...scripts]

const errors = src.filter((file) => file.path === 'src/errors.ts')
const committed = [...code, ...filesUnder('', ['.md', '.txt']), ...filesUnder('.ci', ['run'])]

describe('the repository keeps the house rules', () => {
  test('src/ imports only upwards in the layer table', () => {
    expect(layerViolations(src)).toEqual([])
  })

  test('src/index.ts holds only named re-exports', () => {
    expect(notReExports(src.filter((file) => file.path === 'src/index.ts'))).toEqual([])
  })

  test('pure layers call neither a clock nor chance', () => {
    expect(impureCalls(src)).toEqual([])
  })

  test('sources hold only syntax that Node 22.18 runs by stripping types', () => {
    expect(unstrippableSyntax([...src, ...bench, ...demo, ...examples])).toEqual([])
  })

  test('files are named after what they hold', () => {
    expect(vagueNames(code)).toEqual([])
  })

  test('lines are at most 100 columns', () => {
    expect(longLines(code)).toEqual([])
  })

  test('nothing is marked as unfinished', () => {
    expect(unfinishedMarks(committed)).toEqual([])
  })

  test('no path of a machine is in a file', () => {
    expect(machinePaths(committed.filter((file) => file.path !== 'test/tidy.test.ts'))).toEqual([])
  })

  test('every error code is thrown and has its section in docs/errors.md', () => {
    const codes = errors.flatMap(codesOf)
    expect(codes).toContain('SINK_FAILED')
    expect(neverThrown(codes, src)).toEqual([])
    const pages = filesUnder('docs', ['errors.md'])
    expect(pages.flatMap((page) => unexplained(codes, page))).toEqual([])
  })

  test('every test has a name', () => {
    expect(namelessTests(tests)).toEqual([])
  })

  test('no test sleeps', () => {
    expect(sleepingTests(tests)).toEqual([])
  })

  test('the lockfile names no registry', () => {
    const lockfile = filesUnder('', ['package-lock.json'])[0]
    expect(lockfile?.text).toContain('"lockfileVersion"')
    expect(lockfile?.text).not.toMatch(/"resolved": "https?:/)
  })
})

const plant = (path: string, ...lines: string[]) => [new SourceFile(path, lines.join('\n'))]

describe('layer rule', () => {
  const breaches: [name: string, files: SourceFile[], message: RegExp][] = [
    [
      'a file that the table does not place',
      plant('src/cluster/node.ts', ''),
      /^src\/cluster\/node\.ts: LAYERS in test\/tidy\/layers\.ts does not place it/,
    ],
    [
      'an import that points down',
      plant('src/dstream/dstream.ts', '', "import { run } from '../scheduler/runner.ts'"),
      /^src\/dstream\/dstream\.ts:2: dstream may not import .* scheduler stands below it/,
    ],
    [
      'a type-only import that points down',
      plant('src/batch/batch.ts', "import type { Run } from '../run.ts'"),
      /wiring stands below it/,
    ],
    [
      'a contract that knows its adapter',
      plant('src/checkpoint/log.ts', "import { LocalStore } from './local-store.ts'"),
      /adapters stands below it/,
    ],
    [
      'a dynamic import that points down',
      plant('src/scheduler/runner.ts', "const a = await import('../index.ts')"),
      /root entry stands below it/,
    ],
    [
      'an engine that knows millrace/testing',
      plant('src/index.ts', "export { a } from './testing/index.ts'"),
      /testing stands below it/,
    ],
    [
      'adapters of two families that know each other',
      plant('src/receivers/queue.ts', "import { files } from '../sinks/files.ts'"),
      /an adapter may not import an adapter of another folder/,
    ],
    [
      'a source outside of Kinesis that knows Kinesis',
      plant('src/receivers/sources.ts', "export { a } from './kinesis/index.ts'"),
      /an adapter may not import an adapter of another folder/,
    ],
    [
      'an I/O module in a pure layer',
      plant('src/plan/fuse.ts', "import { readFile } from 'node:fs/promises'"),
      /plan is pure and may not import node:fs\/promises/,
    ],
    [
      'a client in a pure layer',
      plant('src/state/store.ts', "import pino from 'pino'"),
      /state is pure and may not import pino/,
    ],
    [
      'the Kinesis client outside of its receiver',
      plant('src/start.ts', "import { KinesisClient } from '@aws-sdk/client-kinesis'"),
      /may be imported only under receivers\/kinesis\//,
    ],
    [
      'the package by its own name',
      plant('src/start.ts', "import { pipeline } from 'millrace'"),
      /is this package/,
    ],
    [
      'an import from outside of src/',
      plant('src/start.ts', "import { a } from '../test/a.ts'"),
      /leaves src\//,
    ],
  ]
  test.each(breaches)('catches %s', (_, files, message) => {
    expect(layerViolations(files)).toEqual([expect.stringMatching(message)])
  })

  test('lets imports point up, sideways in a row, and within an adapter folder', () => {
    const fine = [
      ...plant('src/errors.ts', "import { assert } from './assert.ts'"),
      ...plant('src/dstream/map.ts', "import { Batch } from '../batch/batch.ts'"),
      ...plant(
        'src/sinks/files.ts',
        "import { a } from './manifest.ts'",
        "import pino from 'pino'",
      ),
      ...plant('src/batch/codec.ts', "import { pack } from 'msgpackr'"),
      ...plant('src/start.ts', "const store = await import('./checkpoint/local-store.ts')"),
    ]
    expect(layerViolations(fine)).toEqual([])
  })

  test('places each file in one row: no place is listed twice', () => {
    const places = LAYERS.flatMap((layer) => layer.holds)
    expect(new Set(places).size).toBe(places.length)
  })
})

describe('house rules', () => {
  type Rule = (files: readonly SourceFile[]) => string[]
  const breaches: [rule: Rule, files: SourceFile[]][] = [
    [vagueNames, plant('src/batch/utils.ts', '')],
    [longLines, plant('src/a.ts', `// ${'x'.repeat(98)}`)],
    [unfinishedMarks, plant('src/a.ts', `// ${'TO'}${'DO'}: later`)],
    [unstrippableSyntax, plant('src/a.ts', 'enum Kind { a }')],
    [unstrippableSyntax, plant('src/a.ts', 'await using run = start()')],
    [unstrippableSyntax, plant('src/a.ts', '  using run = start()')],
    [unstrippableSyntax, plant('src/a.ts', '@sealed', 'class A {}')],
    [impureCalls, plant('src/state/a.ts', 'const now = Date.now()')],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a planted file
    [impureCalls, plant('src/state/a.ts', 'const text = `at ${performance.now()}`')],
    [impureCalls, plant('src/plan/a.ts', 'const now = new Date()')],
    [impureCalls, plant('src/dstream/a.ts', 'setTimeout(() => {}, 1)')],
    [notReExports, plant('src/index.ts', "export * from './start.ts'")],
    [notReExports, plant('src/index.ts', "import './start.ts'")],
    [notReExports, plant('src/index.ts', 'export const a = 1')],
    [namelessTests, plant('test/a.test.ts', "test('', () => {})")],
    [namelessTests, plant('test/a.test.ts', 'describe(` `, () => {})')],
    [sleepingTests, plant('test/a.test.ts', 'await new Promise((r) => setTimeout(r, 5))')],
    [machinePaths, plant('docs/a.md', `in /${'home'}/somebody/millrace`)],
  ]
  test.each(breaches)('%o catches a planted breach', (rule, files) => {
    expect(rule(files)).toHaveLength(1)
  })

  test('let comments and strings speak of what code may not do', () => {
    const quiet = plant(
      'src/state/a.ts',
      '// never Date.now() here; await using is for later',
      "const advice = 'use enum Kind { a } and Math.random()'",
      'const quote = /[\'"`]/.test(advice)',
      'const time = new Date(batchTime)',
    )
    expect(impureCalls(quiet)).toEqual([])
    expect(unstrippableSyntax(quiet)).toEqual([])
  })

  test('let the root entry re-export values and types by name', () => {
    const entry = plant(
      'src/index.ts',
      '/** The entry. */',
      "export { start } from './start.ts'",
      "export {\n  type Run,\n  pipeline,\n} from './pipeline.ts'",
      "export type { Clock } from './clock.ts'",
    )
    expect(notReExports(entry)).toEqual([])
  })
})

describe('error codes', () => {
  const [union] = plant(
    'src/errors.ts',
    'export type ErrorCode =',
    "  | 'THROWN'",
    "  | 'LOOKED_FOR'",
  )
  const codes = codesOf(union as SourceFile)

  test('are never thrown where they are only compared, listed or written of', () => {
    const src = plant(
      'src/a.ts',
      "throw new StreamingError(\n  'THROWN',",
      "if (code === 'LOOKED_FOR') return // throw 'LOOKED_FOR'",
      "const passing = new Set([\n  'OTHER',\n  'LOOKED_FOR',\n])",
      "switch (code) { case 'LOOKED_FOR': }",
    )
    expect(codes).toEqual(['THROWN', 'LOOKED_FOR'])
    expect(neverThrown(codes, src)).toEqual([expect.stringMatching(/^LOOKED_FOR: nothing/)])
  })

  test('have one section each, and each section a code', () => {
    const [page] = plant('docs/errors.md', '# Errors', '## THROWN', '## GONE')
    expect(unexplained(codes, page as SourceFile)).toEqual([
      expect.stringContaining('give LOOKED_FOR one section'),
      expect.stringContaining('the code GONE; remove'),
    ])
  })
})

describe('importsOf', () => {
  test('finds every form and skips what only looks like one', () => {
    const [file] = plant(
      'src/a.ts',
      "import { a } from './a.ts'",
      "import type { B } from './b.ts'",
      "import './c.ts'",
      "export {\n  d,\n} from './d.ts'",
      "type E = typeof import('./e.ts')",
      "const f = await import(\n  './f.ts'\n)",
      "// import { g } from './g.ts'",
      'const h = "import { h } from \'./h.ts\'"',
      "const i = { from: './i.ts' }",
    )
    const found = importsOf(file as SourceFile).map(({ specifier }) => specifier)
    expect(found).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts'])
  })
})
