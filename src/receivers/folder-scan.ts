// Which files a folder holds, or all folders that a pattern such as `/data/*` names.

import type { Stats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../errors.ts'
import { type FileIdentity, identityOf } from './file-block.ts'

/** A file as a scan found it. */
export interface ScannedFile extends FileIdentity {
  /** When its name or status last changed, epoch milliseconds: a rename into the folder does. */
  readonly ctimeMs: number
}

/** A folder, or a pattern of folders: the names before the first wildcard, and the rest. */
export interface FolderPattern {
  /** What was given, without `/` at its end. */
  readonly text: string
  /** The folder before the first wildcard; paths of files begin there. */
  readonly base: string
  readonly names: readonly string[]
}

const WILDCARD = /[*?[{]/
const STATS_AT_ONCE = 32

/** Takes a folder or pattern apart. */
export function folderPattern(folder: string): FolderPattern {
  const text = folder.length > 1 ? folder.replace(/\/+$/, '') : folder
  const names = text.split('/')
  const first = names.findIndex((name) => WILDCARD.test(name))
  if (first === -1) return { text, base: text, names: [] }
  const base = names.slice(0, first).join('/') || (text.startsWith('/') ? '/' : '.')
  return { text, base, names: names.slice(first) }
}

/** Names that no source reads: those that begin with a dot or an underscore. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('_')
}

/** Gives every file of the folders that `pattern` names, in no order. Hidden names are left out,
 * and so is what `filter` refuses; a file that vanishes meanwhile is not there. Rejects if the
 * base cannot be listed. */
export async function* filesIn(
  pattern: FolderPattern,
  filter: (path: string) => boolean,
): AsyncGenerator<ScannedFile> {
  for await (const folder of foldersIn(pattern.base, '', pattern.names)) {
    let batch: string[] = []
    for await (const { name, folder: isFolder } of entriesOf(pattern.base, folder)) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (isFolder || isHidden(name) || !filter(path)) continue
      batch.push(path)
      if (batch.length < STATS_AT_ONCE) continue
      yield* filesOf(pattern.base, batch)
      batch = []
    }
    yield* filesOf(pattern.base, batch)
  }
}

/** The folders below `folder` whose names fit `names`, each as a path from `base`. */
async function* foldersIn(
  base: string,
  folder: string,
  names: readonly string[],
): AsyncGenerator<string> {
  const [name, ...rest] = names
  if (name === undefined) {
    yield folder
    return
  }
  const below = (found: string): string => (folder === '' ? found : `${folder}/${found}`)
  if (!WILDCARD.test(name)) {
    yield* foldersIn(base, below(name), rest)
    return
  }
  const fits = wildcardExpression(name)
  for await (const entry of entriesOf(base, folder)) {
    if (isHidden(entry.name) || !fits.test(entry.name)) continue
    if (entry.folder || (entry.link && (await isFolder(base, below(entry.name))))) {
      yield* foldersIn(base, below(entry.name), rest)
    }
  }
}

interface Entry {
  readonly name: string
  readonly folder: boolean
  readonly link: boolean
}

/** What a folder holds; nothing for a folder below the base that is not there, or is a file. */
async function* entriesOf(base: string, folder: string): AsyncGenerator<Entry> {
  const missing = (error: unknown): boolean =>
    folder !== '' && (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR')
  try {
    for await (const entry of await opendir(join(base, folder))) {
      const { name } = entry
      yield { name, folder: entry.isDirectory(), link: entry.isSymbolicLink() }
    }
  } catch (error) {
    if (!missing(error)) throw error
  }
}

async function* filesOf(base: string, paths: readonly string[]): AsyncGenerator<ScannedFile> {
  const stats = await Promise.all(paths.map((path) => statusOf(join(base, path))))
  for (const [i, status] of stats.entries()) {
    if (status === undefined || !status.isFile()) continue
    yield { ...identityOf(paths[i] as string, status), ctimeMs: status.ctimeMs }
  }
}

async function isFolder(base: string, folder: string): Promise<boolean> {
  return (await statusOf(join(base, folder)))?.isDirectory() ?? false
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes an expression of a name with `*`, `?`, `[abc]`, `[a-c]`, `[!abc]` or `{one,two}`. */
export function wildcardExpression(name: string): RegExp {
  return new RegExp(`^${expressionText(name)}$`, 'su')
}

function expressionText(name: string): string {
  return name.replace(/\[[!^]?[^\]]+\]|\{[^{}]*\}|./gsu, (part) => {
    if (part === '*') return '.*'
    if (part === '?') return '.'
    if (part.length > 2 && part.startsWith('{')) {
      return `(?:${part.slice(1, -1).split(',').map(expressionText).join('|')})`
    }
    if (part.length > 2 && part.startsWith('[')) {
      return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\')
    }
    return part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
}
