// Spark's own cases that are not pipelines of one stream: tables, scripts, queries.

import { readFileSync } from 'node:fs'

/** A case as the file has it, in as much as these suites use it. */
export interface SparkCase {
  readonly id: string
  readonly name: string
  readonly operator: string
  readonly kind: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly columns?: readonly string[]
  readonly input?: readonly (readonly unknown[])[]
  readonly expected?: unknown
  readonly steps?: readonly Readonly<Record<string, unknown>>[]
  readonly batchIntervalMs?: number
}

const cases = JSON.parse(
  readFileSync(new URL('./operators.json', import.meta.url), 'utf8'),
) as readonly SparkCase[]

/** The cases whose ids begin with a prefix; fails if there are none, so that no test passes for
 * want of its data. */
export function casesOf(prefix: string): SparkCase[] {
  const found = cases.filter(({ id }) => id.startsWith(prefix))
  if (found.length === 0) throw new Error(`operators.json has no case ${prefix}…`)
  return found
}
