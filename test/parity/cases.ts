// Cases as data: operators.json holds those of Spark's own suites (facts, restated), further.json
// what the same semantics say about more: batches left out, windows of other lengths, states.

import { readFileSync } from 'node:fs'
import type { StageSpec } from './functions.ts'

/** One case; which fields it has depends on its kind. */
export interface Case {
  readonly id: string
  readonly kind: string
  readonly operator: string
  readonly suite?: string
  readonly params: {
    readonly inputPartitions?: number
    readonly windowMs?: number
    readonly slideMs?: number
  }
  readonly pipeline?: readonly StageSpec[]
  readonly inputPipelines?: readonly (readonly StageSpec[])[]
  readonly input?: (unknown[] | null)[]
  readonly inputs?: (unknown[] | null)[][]
  readonly expected?: unknown
  readonly expectedSnapshots?: unknown[][]
  readonly expectedPartitionCounts?: number[]
  readonly expectedBeforeError?: unknown[][]
  readonly expectedError?: {
    readonly atBatch?: number
    readonly when?: string
    readonly messageContains?: string
    /** Of ours only: the code of the error. */
    readonly code?: string
  }
  readonly ordered?: boolean
  readonly valueCompare?: string
  readonly dropEmptyOutputs?: boolean
  readonly numBatches?: number
  readonly batchIntervalMs: number
}

function read(file: string): readonly Case[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8')
  const cases = JSON.parse(text) as readonly (Omit<Case, 'params'> & Partial<Case>)[]
  return cases.map((c) => ({ ...c, params: c.params ?? {} }))
}

/** The cases of Spark's suites. */
export const sparkCases = read('./operators.json')

/** Our own, in the same form. */
export const furtherCases = read('./further.json')

/** A case by its id, typed by who reads it. */
export function caseOf<T>(id: string): T {
  const found = sparkCases.find((c) => c.id === id)
  if (found === undefined) throw new Error(`operators.json has no case "${id}"`)
  return found as T
}

/** A case that is no pipeline of one stream: a table, a script, a query. */
export interface SparkCase {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly columns?: readonly string[]
  readonly input?: readonly (readonly unknown[])[]
  readonly expected?: unknown
  readonly steps?: readonly Readonly<Record<string, unknown>>[]
  readonly batchIntervalMs?: number
}

/** The cases whose ids begin with a prefix; fails if there are none, so that no test passes for
 * want of its data. */
export function casesOf(prefix: string): readonly SparkCase[] {
  const found = sparkCases.filter(({ id }) => id.startsWith(prefix))
  if (found.length === 0) throw new Error(`operators.json has no case ${prefix}…`)
  return found as readonly unknown[] as readonly SparkCase[]
}
