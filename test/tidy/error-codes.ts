// Every code of an error is thrown somewhere and explained in docs/errors.md, and nothing else is.

import type { SourceFile } from './source-file.ts'

const UNION = /export type ErrorCode =((?:\s*\| '[A-Z_]+')+)/

/** The codes of the union `ErrorCode`, in order. */
export function codesOf(errors: SourceFile): string[] {
  const union = UNION.exec(errors.text)?.[1] ?? ''
  return [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1] as string)
}

/** Codes that stand nowhere in `src` but where errors are compared with them. */
export function neverThrown(codes: readonly string[], src: readonly SourceFile[]): string[] {
  const given = new Set(src.flatMap(codesGiven))
  return codes
    .filter((code) => !given.has(code))
    .map((code) => `${code}: nothing in src/ throws it; remove it`)
}

/** Neither a member of a union, nor compared, nor one of a set to compare with. */
const GIVEN = /(?<!\|\s*|[!=]==\s*|\bcase\s+|\bnew Set\(\[[^\]]*)'([A-Z]+(?:_[A-Z]+)*)'/g

function codesGiven(file: SourceFile): string[] {
  return [...file.text.matchAll(GIVEN)]
    .filter((match) => file.code[match.index] === "'")
    .map((match) => match[1] as string)
}

/** Codes without a section of the page, and sections without a code. */
export function unexplained(codes: readonly string[], page: SourceFile): string[] {
  const sections = [...page.text.matchAll(/^## ([A-Z_]+)$/gm)].map((match) => match[1] as string)
  return [
    ...codes
      .filter((code) => sections.filter((one) => one === code).length !== 1)
      .map((code) => `${page.path}: give ${code} one section`),
    ...sections
      .filter((section) => !codes.includes(section))
      .map((section) => `${page.path}: no error has the code ${section}; remove its section`),
  ]
}
