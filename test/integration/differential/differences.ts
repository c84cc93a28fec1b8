// Where two servers answered a call differently.

import type { Outcome } from './player.ts'

/** One difference, as text: it is matched by rules and read by people. */
export interface Difference {
  /** `outcome`, or the path of a member, lists as []. */
  readonly path: string
  /** What the simulator gave. */
  readonly ours: string
  readonly theirs: string
}

const MISSING = 'missing'

/** All differences between two outcomes. */
export function differencesOf(ours: Outcome, theirs: Outcome): Difference[] {
  const found: Difference[] = []
  const one = kindOf(ours)
  const other = kindOf(theirs)
  if (one !== other) return [{ path: 'outcome', ours: one, theirs: other }]
  if (ours === undefined || theirs === undefined) return []
  if ('answer' in ours && 'answer' in theirs) compare(ours.answer, theirs.answer, '', found)
  return found
}

function kindOf(outcome: Outcome): string {
  if (outcome === undefined) return 'not made'
  return 'error' in outcome ? outcome.error : 'answer'
}

function compare(ours: unknown, theirs: unknown, path: string, found: Difference[]): void {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    if (ours.length !== theirs.length) {
      const [one, other] = [ours, theirs].map(({ length }) => `${length} entries`) as [
        string,
        string,
      ]
      found.push({ path: `${path}[]`, ours: one, theirs: other })
      return
    }
    for (const [i, one] of ours.entries()) compare(one, theirs[i], `${path}[]`, found)
    return
  }
  if (isObject(ours) && isObject(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      compare(ours[key], theirs[key], path === '' ? key : `${path}.${key}`, found)
    }
    return
  }
  if (ours !== theirs) found.push({ path, ours: told(ours), theirs: told(theirs) })
}

function told(value: unknown): string {
  if (value === undefined) return MISSING
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
