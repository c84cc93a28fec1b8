// House rules that the formatter, the linters and the compiler do not check. Each takes the
// files it is about and gives one sentence for each breach: where, what, what to do instead.

import { posix } from 'node:path'
import { LAYERS, layerOf } from './layers.ts'
import type { SourceFile } from './source-file.ts'

const LINE_LENGTH_MAX = 100

interface Ban {
  readonly pattern: RegExp
  readonly instead: string
}

const VAGUE_NAMES = /^(utils?|helpers?|common|types|misc|shared)\.(ts|mjs)$/

/** A file is named after what it holds. */
export function vagueNames(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => VAGUE_NAMES.test(posix.basename(file.path)))
    .map((file) => `${file.path}: name the file after what it holds`)
}

/** A line fits on a screen; one that only holds a URL may be longer. */
export function longLines(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      if (line.length <= LINE_LENGTH_MAX || /^\W*https?:\/\/\S+\W*$/.test(line)) return []
      return [`${file.path}:${index + 1}: ${line.length} columns; at most ${LINE_LENGTH_MAX}`]
    }),
  )
}

// Put together here, so that this file does not break its own rule.
const UNFINISHED = new RegExp(`\\b(${['TO', 'FIX', 'XX'].join('|')})(DO|ME|X)\\b`, 'g')

/** What is not finished is an issue, not a comment. */
export function unfinishedMarks(files: readonly SourceFile[]): string[] {
  return matches(files, { pattern: UNFINISHED, instead: 'finish it or open an issue' }, 'text')
}

const UNSTRIPPABLE: readonly Ban[] = [
  { pattern: /\benum\s+\w+\s*\{/g, instead: 'use a union of string literals' },
  { pattern: /\bawait\s+using\b/g, instead: 'call the disposer; Node 22 cannot parse this' },
  { pattern: /^\s*using\s+\w+\s*=/gm, instead: 'call the disposer; Node 22 cannot parse this' },
  { pattern: /^\s*@[A-Za-z]\w*/gm, instead: 'write it without a decorator; Node cannot strip it' },
]

/** Sources run on Node 22.18 as they are, by type stripping. */
export function unstrippableSyntax(files: readonly SourceFile[]): string[] {
  return UNSTRIPPABLE.flatMap((ban) => matches(files, ban, 'code'))
}

const IMPURE: readonly Ban[] = [
  { pattern: /\bDate\.now\b/g, instead: 'take the batch time as an argument' },
  { pattern: /\bnew\s+Date\(\s*\)/g, instead: 'take the batch time as an argument' },
  { pattern: /\bperformance\.\w+/g, instead: 'measure in the scheduler' },
  { pattern: /\bprocess\.\w+/g, instead: 'take what is needed as an argument' },
  { pattern: /\bset(Timeout|Interval|Immediate)\s*\(/g, instead: 'wait in the scheduler' },
  { pattern: /\bMath\.random\b/g, instead: 'take a seed as an argument' },
  { pattern: /\brandom(UUID|Bytes|Int)\s*\(/g, instead: 'take a seed as an argument' },
  { pattern: /\bfetch\s*\(/g, instead: 'do I/O in an adapter' },
]

/** Pure rows of the layer table see neither a clock nor chance nor the process. */
export function impureCalls(files: readonly SourceFile[]): string[] {
  const pure = files.filter((file) => LAYERS[layerOf(file.path.slice('src/'.length))]?.pure)
  return IMPURE.flatMap((ban) => matches(pure, ban, 'code'))
}

const NAMED_RE_EXPORT = /\bexport\s+(type\s+)?\{[^{}]*\}\s*from\s*(['"])\s*\2/g

/** The root entry re-exports by name and does nothing else. */
export function notReExports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const rest = file.code.replace(NAMED_RE_EXPORT, (found) => found.replace(/[^\n]/g, ' '))
    const offset = rest.search(/[^\s;]/)
    if (offset === -1) return []
    return [`${file.path}:${file.lineAt(offset)}: only "export { name } from" may stand here`]
  })
}

const TEST_CALL = /\b(?:test\w*|it|describe|suite)(?:\.\w+)*\s*\(\s*(['"`])(\s*)\1/g

/** A failure is told by its name. */
export function namelessTests(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    [...file.code.matchAll(TEST_CALL)].flatMap((match) => {
      const close = match.index + match[0].length - 1
      const name = file.text.slice(close - (match[2] as string).length, close)
      if (name.trim() !== '') return []
      return [`${file.path}:${file.lineAt(match.index)}: name the test after what it shows`]
    }),
  )
}

const SLEEPS: readonly Ban[] = [
  { pattern: /\bsetTimeout\s*\(\s*(r|res|resolve|done|ok)\b/g, instead: 'wait for the event' },
  { pattern: /\bawait\s+(setTimeout|sleep|delay)\s*\(/g, instead: 'wait for the event' },
  { pattern: /\bAtomics\.wait\s*\(/g, instead: 'wait for the event' },
]

/** A test waits for what it tests, or drives a manual clock; it never sleeps. */
export function sleepingTests(files: readonly SourceFile[]): string[] {
  return SLEEPS.flatMap((ban) => matches(files, ban, 'code'))
}

/** The folder of whoever wrote a file is not the folder of whoever reads it. */
export function machinePaths(files: readonly SourceFile[]): string[] {
  const pattern = /(?<![\w.@-])\/(root|home\/[a-z][\w-]*|Users\/[A-Za-z][\w-]*)\//g
  return matches(files, { pattern, instead: 'use a path relative to the repository' }, 'text')
}

function matches(files: readonly SourceFile[], ban: Ban, where: 'text' | 'code'): string[] {
  return files.flatMap((file) =>
    [...file[where].matchAll(ban.pattern)].map(
      (match) =>
        `${file.path}:${file.lineAt(match.index + match[0].search(/\S/))}: ` +
        `"${match[0].trim()}": ${ban.instead}`,
    ),
  )
}
