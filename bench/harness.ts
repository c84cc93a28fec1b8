// What every question shares: bounds, turns in which the sides are timed, the statistics, the
// table, and the result as text.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

/** How a question is asked. */
export interface BenchOptions {
  readonly seed: number
  /** At most so many timed rounds of each side of each row, after the warm-up. */
  readonly rounds: number
  /** At most about so long, over all rows, warm-up included; a workload's warm-up comes before. */
  readonly seconds: number
  /** Records of one batch. */
  readonly records: number
  /** Spark and Flink take part in the workloads. */
  readonly peers: boolean
}

/** One line of a result: a name and its figures. */
export type Row = Readonly<Record<string, string | number>>

/** A question and how it is answered. */
export interface Question {
  readonly asks: string
  readonly defaults: { readonly seed: number; readonly rounds: number; readonly records: number }
  answer(options: BenchOptions): Promise<Answer>
}

/** A table, and what must be known to read it. */
export interface Answer {
  readonly rows: readonly Row[]
  readonly notes?: readonly string[]
}

/** The value below which a share of the samples lies. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The middle of the samples, or the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (index: number) => sorted[index] ?? Number.NaN
  return (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2
}

/** Counts the rounds of one of `parts` equal parts of a question: first the warm-up, a quarter of
 * the whole, then the timed ones, at least one. */
export function* turns(
  { rounds, seconds }: BenchOptions,
  parts = 1,
): Generator<{ readonly round: number; readonly timed: boolean }> {
  const startedAt = performance.now()
  const spent = (share: number) => performance.now() - startedAt >= (share * seconds * 1e3) / parts
  let round = 0
  while (round < Math.ceil(rounds / 3) && !spent(1 / 4)) yield { round: round++, timed: false }
  const warm = round
  do yield { round: round++, timed: true }
  while (round - warm < rounds && !spent(1))
}

/** Times the sides in turn, so that all meet the same noise; milliseconds of each round. The
 * side that begins changes from round to round: each pays for the garbage of each other. */
export async function interleave(
  options: BenchOptions,
  parts: number,
  sides: readonly (() => unknown)[],
): Promise<number[][]> {
  const times: number[][] = sides.map(() => [])
  for (const { round, timed } of turns(options, parts)) {
    for (let i = 0; i < sides.length; i++) {
      const side = (round + i) % sides.length
      const startedAt = performance.now()
      await sides[side]?.()
      if (timed) times[side]?.push(performance.now() - startedAt)
    }
  }
  return times
}

/** Median ratio a : b of paired rounds, and its spread. */
export function ratio(a: readonly number[], b: readonly number[], name = 'ratio'): Row {
  const ratios = a.map((time, i) => time / (b[i] ?? Number.NaN))
  const show = (share: number) => quantile(ratios, share).toFixed(2)
  return { [name]: show(0.5), 'p10–p90': `${show(0.1)}–${show(0.9)}` }
}

/** Whether what is to be reached was reached, as a note. */
export function verdict(
  question: string,
  reached: number,
  bound: { readonly below: number } | { readonly atMost: number } | { readonly atLeast: number },
): string {
  const [rule, held] = ruleOf(bound, reached)
  const shown = Number.isNaN(reached)
    ? 'not measured'
    : `${reached.toFixed(2)}, ${held ? 'held' : 'missed'}`
  return `to reach: ${question} ${rule}: ${shown}`
}

function ruleOf(bound: Parameters<typeof verdict>[2], reached: number): [string, boolean] {
  if ('below' in bound) return [`< ${bound.below}`, reached < bound.below]
  if ('atMost' in bound) return [`≤ ${bound.atMost}`, reached <= bound.atMost]
  return [`≥ ${bound.atLeast}`, reached >= bound.atLeast]
}

/** The rows as a table of text. */
export function table(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const lines = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '')))]
  const widths = names.map((_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const loadBefore = loadNow()

function loadNow(): string {
  return loadavg()[0]?.toFixed(1) ?? 'unknown'
}

/** Machine, its load, versions and commit of a result. */
export function provenance(): string {
  const manifest = readJson('../package.json')
  const dependencies = Object.keys(manifest['dependencies'] as Record<string, string>)
  const used = dependencies.map((name) => {
    return `${name} ${readJson(`../node_modules/${name}/package.json`)['version']}`
  })
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    `date     ${new Date().toISOString().slice(0, 10)}`,
    `machine  ${cpu?.model ?? 'unknown'}, ${cpus().length} cores, ${memory}`,
    `load     ${loadBefore} in the minute before the run, ${loadNow()} in its last`,
    `node     ${process.version}`,
    `millrace ${manifest['version']}, commit ${commit()}`,
    `packages ${used.join(', ')}`,
  ].join('\n')
}

/** Writes a result beside the others. */
export function save(name: string, text: string): string {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.txt`, folder), text)
  return `bench/results/${name}.txt`
}

/** The commit, and whether the library or the question has been changed since. */
function commit(): string {
  try {
    const changed = git('status', '--porcelain', '--', '../src', '*.ts') !== ''
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return 'unknown'
  }
}

function git(...args: string[]): string {
  const options = { cwd: new URL('.', import.meta.url), encoding: 'utf8' } as const
  return execFileSync('git', args, { ...options, stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

function readJson(path: string): Record<string, unknown> {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8')
  return JSON.parse(text) as Record<string, unknown>
}
