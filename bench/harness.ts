// What every question shares: a seeded generator, the statistics, the table, and the result as
// text.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** How a question is asked. */
export interface BenchOptions {
  readonly seed: number
  /** Timed runs of each side, after the warm-up. */
  readonly runs: number
  /** Records of one batch. */
  readonly records: number
}

/** One line of a result: a name and its figures. */
export type Row = Readonly<Record<string, string | number>>

/** A question and how it is answered. */
export interface Question {
  readonly asks: string
  readonly defaults: BenchOptions
  answer(options: BenchOptions): Promise<Row[]>
}

/** The value below which a share of the samples lies. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Times two sides in turn, so that both meet the same noise; milliseconds of each run. */
export async function interleave(
  runs: number,
  sides: readonly [() => unknown, () => unknown],
): Promise<readonly [number[], number[]]> {
  const times: [number[], number[]] = [[], []]
  const warmUp = Math.ceil(runs / 3)
  for (let run = -warmUp; run < runs; run++) {
    for (const side of [0, 1] as const) {
      const startedAt = performance.now()
      await sides[side]()
      if (run >= 0) times[side].push(performance.now() - startedAt)
    }
  }
  return times
}

/** Median ratio a : b of paired runs, and its spread. */
export function ratio(a: readonly number[], b: readonly number[]): Row {
  const ratios = a.map((time, i) => time / (b[i] ?? Number.NaN))
  const show = (share: number) => quantile(ratios, share).toFixed(2)
  return { ratio: show(0.5), 'ratio p10': show(0.1), 'ratio p90': show(0.9) }
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

/** Machine, versions and commit of a result. */
export function provenance(): string {
  const manifest = readJson('../package.json')
  const lock = readJson('../package-lock.json')
  const packages = lock['packages'] as Record<string, { readonly version?: string }>
  const used = ['msgpackr', 'p-queue', 'lru-cache'].map(
    (name) => `${name} ${packages[`node_modules/${name}`]?.version}`,
  )
  const [cpu] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    `date     ${new Date().toISOString().slice(0, 10)}`,
    `machine  ${cpu?.model ?? 'unknown'}, ${cpus().length} cores, ${memory}`,
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

function commit(): string {
  try {
    const options = { cwd: new URL('.', import.meta.url), encoding: 'utf8' } as const
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], options).trim()
  } catch {
    return 'unknown'
  }
}

function readJson(path: string): Record<string, unknown> {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8')
  return JSON.parse(text) as Record<string, unknown>
}
