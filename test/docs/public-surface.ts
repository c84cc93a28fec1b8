// What the package exports, read from the sources as text: the names of each entry, and the members
// of each class and interface, with the docstring that stands above each.

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { filesUnder, ROOT, type SourceFile } from '../tidy/source-file.ts'

/** The entries of the package and the files of src/ that they are. */
export const ENTRIES: readonly (readonly [entry: string, file: SourceFile])[] = entriesOf()

function entriesOf(): (readonly [string, SourceFile])[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly 'millrace-src'?: string }>>
  }
  const files = new Map(filesUnder('src', ['.ts']).map((file) => [file.path, file]))
  return Object.entries(exports).flatMap(([entry, { 'millrace-src': path }]) => {
    const file = files.get(path?.replace('./', '') ?? '')
    return file === undefined ? [] : [[entry.replace(/^\./, 'millrace'), file] as const]
  })
}

/** Something that has a name and may have a docstring. */
export interface Documented {
  readonly name: string
  /** The docstring, or '' without one. */
  readonly doc: string
}

/** A member that a user sees. */
export interface Member extends Documented {
  readonly isMethod: boolean
}

/** A declaration at the top of a file. */
export interface Declaration extends Documented {
  readonly kind: 'function' | 'class' | 'const' | 'interface' | 'type'
  readonly members: readonly Member[]
  /** The class or interfaces that it extends or implements. */
  readonly above: readonly string[]
}

const DECLARATION =
  /^export (?:declare )?(async function|function|abstract class|class|const|interface|type) (\w+)/gm

/** The names that a file exports, in this file or from another. */
export function exportsOf(file: SourceFile): string[] {
  return [...homesOf(file).keys()]
}

/** The names that a file exports, with the path of the file that declares each, as far as its own
 * text tells. */
function homesOf(file: SourceFile): ReadonlyMap<string, string> {
  const homes = new Map<string, string>()
  for (const [, , name = ''] of file.code.matchAll(DECLARATION)) homes.set(name, file.path)
  for (const [, names = '', from] of file.text.matchAll(RE_EXPORT)) {
    const path = from === undefined ? '' : posix.join(posix.dirname(file.path), from)
    for (const name of names.split(',').map((one) => one.replace(/^\s*type /, '').trim())) {
      if (name !== '') homes.set(name, path)
    }
  }
  return homes
}

const RE_EXPORT = /export (?:type )?\{([^}]*)\}(?: from '([^']*)')?/g

/** The declarations that a file exports. */
export function declarationsOf(file: SourceFile): Declaration[] {
  return [...file.code.matchAll(DECLARATION)].map((match) => {
    const [, keyword = '', name = ''] = match
    const kind = (keyword.split(' ').at(-1) ?? '') as Declaration['kind']
    const open = file.code.indexOf('{', match.index)
    const head = file.code.slice(match.index, open).replace(/<[^{]*?>(?=\s|,|$)/g, '')
    const hasMembers = kind === 'class' || kind === 'interface'
    return {
      name,
      kind,
      doc: docBefore(file.text, match.index),
      members: hasMembers ? membersOf(file, open) : [],
      above: hasMembers ? namesAbove(head) : [],
    }
  })
}

function namesAbove(head: string): string[] {
  const lists = [...head.matchAll(/\b(?:extends|implements) ([^{]*?)(?=\bimplements\b|$)/g)]
  return lists.flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))
}

const MODIFIER = 'static|readonly|declare|abstract|async|override|protected|private|get|set'
const MEMBER = new RegExp(
  String.raw`^ {2}((?:(?:${MODIFIER}) )*)\*?(#?\w+|\[Symbol\.\w+\])\??([<(:;=]| =)`,
  'gm',
)

/** The members that a user sees, of the body that begins at `open`. Overloads count once. */
function membersOf(file: SourceFile, open: number): Member[] {
  const end = file.code.indexOf('\n}', open)
  const members = new Map<string, Member>()
  for (const match of file.code.slice(0, end).matchAll(MEMBER)) {
    const [, modifiers = '', name = '', after] = match
    const hidden = /protected|private/.test(modifiers) || name.startsWith('#')
    if (match.index < open || hidden || name === 'constructor' || members.has(name)) continue
    const isMethod = (after === '(' || after === '<') && !modifiers.includes('get ')
    members.set(name, { name, isMethod, doc: docBefore(file.text, match.index) })
  }
  return [...members.values()]
}

function docBefore(text: string, index: number): string {
  const before = text.slice(0, index).trimEnd()
  return before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
}

/** All declarations of src/ by name; where a name is declared twice, that of `entry` counts. */
export function declarationsFor(entry?: SourceFile): ReadonlyMap<string, Declaration> {
  const homes = entry === undefined ? new Map<string, string>() : homesOf(entry)
  const all = new Map<string, Declaration>()
  for (const file of filesUnder('src', ['.ts'])) {
    // Of overloads the first has the docstring.
    const own = declarationsOf(file).reverse()
    for (const [name, declaration] of new Map(own.map((one) => [one.name, one]))) {
      if (!all.has(name) || homes.get(name) === file.path) all.set(name, declaration)
    }
  }
  return all
}

/** What is missing from the docs of one public name. */
export function faultsOf(name: string, declarations: ReadonlyMap<string, Declaration>): string[] {
  const declaration = declarations.get(name)
  if (declaration === undefined) return [`${name} is declared nowhere`]
  const { kind, doc } = declaration
  const isType = kind === 'interface' || kind === 'type'
  const faults: string[] = []
  if (doc === '') faults.push(`${name} has no docstring`)
  if (!isType && !doc.includes('@example')) faults.push(`${name} has no example`)
  const { own, promised } = membersWithParents(declaration, declarations)
  for (const member of own.values()) {
    if (promised.has(member.name)) continue
    if (member.doc === '') faults.push(`${name}.${member.name} has no docstring`)
    const needsExample = !isType && member.isMethod && !member.doc.includes('for the engine')
    if (needsExample && !member.doc.includes('@example')) {
      faults.push(`${name}.${member.name} has no example`)
    }
  }
  return faults
}

/** The members of a class with those of the classes above it, and the names of those that an
 * interface above it documents. */
function membersWithParents(
  declaration: Declaration,
  declarations: ReadonlyMap<string, Declaration>,
): { readonly own: ReadonlyMap<string, Member>; readonly promised: ReadonlySet<string> } {
  const own = new Map(declaration.members.map((member) => [member.name, member]))
  const promised = new Set<string>()
  for (const name of declaration.above) {
    const parent = declarations.get(name)
    if (parent === undefined) continue
    const above = membersWithParents(parent, declarations)
    for (const name of above.promised) promised.add(name)
    for (const member of above.own.values()) {
      if (parent.kind === 'interface' && member.doc !== '') promised.add(member.name)
      else if (!own.has(member.name)) own.set(member.name, member)
    }
  }
  return { own, promised }
}
