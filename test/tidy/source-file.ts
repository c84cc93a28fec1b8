// Reads the repository's files as text and as masked text, for the house rules.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** One file of the repository. */
export class SourceFile {
  /** From the root, with `/` between folders, whatever the platform. */
  readonly path: string
  readonly text: string
  #code: string | undefined

  constructor(path: string, text: string) {
    this.path = path
    this.text = text
  }

  /** The text with comments and the insides of literals blanked; offsets and lines are kept. */
  get code(): string {
    this.#code ??= maskLiterals(this.text)
    return this.#code
  }

  /** The line number, from 1, of a character offset. */
  lineAt(offset: number): number {
    return this.text.slice(0, offset).split('\n').length
  }
}

/** A module that a file imports, re-exports or names in `import('…')`. */
export interface ImportSite {
  readonly specifier: string
  readonly line: number
}

/** Every import of `file` whose specifier is a literal, types included. */
export function importsOf(file: SourceFile): ImportSite[] {
  return [...file.code.matchAll(/\b(?:from|import)\s*\(?\s*(['"])/g)].map((match) => {
    const open = match.index + match[0].length
    const close = file.code.indexOf(match[1] as string, open)
    return { specifier: file.text.slice(open, close), line: file.lineAt(open) }
  })
}

/** The files under `folder` (from the root) whose names end as asked, in path order.
 * A folder that does not exist holds none. */
export function filesUnder(folder: string, endings: readonly string[]): SourceFile[] {
  return namesUnder(folder)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => new SourceFile(path, readFileSync(join(ROOT, path), 'utf8')))
}

// Folders that no one wrote.
const UNWRITTEN = [
  ...['.git', 'coverage', 'demo-out', 'dist', 'node_modules'],
  // Tests make them while this runs.
  ...['.examples', '.types'],
]

function namesUnder(folder: string): string[] {
  let entries: ReturnType<typeof readEntries>
  try {
    entries = readEntries(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return entries
    .filter((entry) => !UNWRITTEN.includes(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      return entry.isDirectory() ? namesUnder(path) : [path]
    })
}

function readEntries(folder: string) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
}

// A slash opens a regular expression only where an operand is due.
const OPERAND_DUE = String.raw`(?<=(?:^|[=(,:[!&|?{};+\-*%<>~^]|\breturn|\bcase|\btypeof)\s*)`

const LITERAL = new RegExp(
  [
    String.raw`\/\/[^\n]*`,
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`'(?:\\.|[^'\\\n])*'`,
    String.raw`"(?:\\.|[^"\\\n])*"`,
    '`(?:\\\\[\\s\\S]|[^`\\\\])*`',
    String.raw`${OPERAND_DUE}\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/`,
  ].join('|'),
  'g',
)

/** Blanks comments wholly and literals between their delimiters. What stands in a template's
 * placeholders is code and stays, unless it holds braces of its own. */
function maskLiterals(text: string): string {
  return text.replace(LITERAL, (literal) => {
    if (literal.startsWith('//') || literal.startsWith('/*')) return blank(literal)
    const [open, inside, close] = [literal[0], literal.slice(1, -1), literal.at(-1)]
    if (open !== '`') return `${open}${blank(inside)}${close}`
    const parts = inside.split(/(\$\{[^{}`]*\})/)
    return `\`${parts.map((part, index) => (index % 2 === 1 ? part : blank(part))).join('')}\``
  })
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}
