// What the workloads do with a record: the pipelines give these closures to the operators, the
// hand-written loops call them.

import type { State } from 'millrace'

/** A word or key with its number. */
export type Count = readonly [key: string, count: number]

/** An event of the Yahoo benchmark, as far as it is read. */
export interface Ad {
  readonly ad_id: string
  readonly event_type: string
  readonly event_time: string
}

const TOP = 10
const AD_WINDOW_MS = 10_000

/** True for the lines that grep looks for. */
export const hasNeedle = (line: string): boolean => line.includes('needle')

/** The words of a line. */
export const wordsOf = (line: string): string[] => line.split(' ')

/** A word, once. */
export const once = (word: string): [string, number] => [word, 1]

/** The sum of two counts. */
export const add = (a: number, b: number): number => a + b

/** What is left of a count. */
export const subtract = (a: number, b: number): number => a - b

/** True while a word is in the window. */
export const occurs = (pair: Count): boolean => pair[1] > 0

/** A line as an event of the Yahoo benchmark. */
export const parseAd = (line: string): Ad => JSON.parse(line) as Ad

/** True for views. */
export const isView = (ad: Ad): boolean => ad.event_type === 'view'

/** The table that joins ads to campaigns. */
export function campaignsOf(table: string): ReadonlyMap<string, string> {
  const pairs = table.trim().split('\n')
  return new Map(pairs.map((line) => line.split('\t') as [string, string]))
}

/** The window and the campaign of a view. */
export function adKey(ad: Ad, campaigns: ReadonlyMap<string, string>): string {
  const window = Math.floor(Number(ad.event_time) / AD_WINDOW_MS) * AD_WINDOW_MS
  return `${window}\t${campaigns.get(ad.ad_id)}`
}

/** The key and the value of a line `key,timestamp,value`. */
export function eventOf(line: string): [string, number] {
  const key = line.indexOf(',')
  const value = line.indexOf(',', key + 1)
  return [line.substring(0, key), Number(line.substring(value + 1))]
}

/** Adds a value to the sum of its key; gives the sum. */
export function addToState(_key: string, value: number | undefined, state: State<number>): number {
  const sum = (state.exists() ? state.get() : 0) + (value ?? 0)
  state.update(sum)
  return sum
}

/** By falling count, then by word. */
export function byCount(a: Count, b: Count): number {
  return b[1] - a[1] || (a[0] < b[0] ? -1 : 1)
}

/** The ten most frequent, most frequent first. */
export function topOf(pairs: Iterable<Count>): Count[] {
  const top: Count[] = []
  for (const pair of pairs) {
    if (top.length === TOP && byCount(pair, top[TOP - 1] as Count) > 0) continue
    top.push(pair)
    top.sort(byCount)
    if (top.length > TOP) top.pop()
  }
  return top
}
