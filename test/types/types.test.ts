// The compiler as a test: the claims beside this file are checked with every `tsc` of the gate.
// Here: that they bite, and that a long pipeline is checked fast.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../tidy/source-file.ts'

const MADE = join(ROOT, 'test', '.types')
beforeAll(() => mkdirSync(MADE, { recursive: true }))
afterAll(() => rmSync(MADE, { recursive: true, force: true }))

/** Compiles one module as a user would, from the sources. */
function compile(name: string, lines: readonly string[]): string {
  const config = { extends: '../../tsconfig.json', include: [`${name}.ts`] }
  writeFileSync(join(MADE, `${name}.json`), JSON.stringify(config))
  writeFileSync(join(MADE, `${name}.ts`), lines.join('\n'))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const args = [tsc, '-p', join(MADE, `${name}.json`), '--extendedDiagnostics']
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout
}

test('a claim that does not hold is an error', { timeout: 60_000 }, () => {
  const claims = [
    'is<DStream<string>>()(words.map((word) => word.length))',
    'is<DStream<unknown>>()(words)',
    'is<DStream<any>>()(words)',
    'is<DStream<[string, number]>>()(words.countByValue().map((x): any => x))',
    'type A = All<[Same<1, number>]>; export const a: A = true',
    'type B = All<[Same<unknown, any>]>; export const b: B = true',
    `type C = All<[Same<Leaks<{ a(): DStream<[string, any]> }>, never>]>; export const c: C = true`,
  ]
  const output = compile('wrong', [
    `import type { DStream } from 'millrace'`,
    `import { type All, is, type Same } from '../types/expect-type.ts'`,
    `import type { Leaks } from '../types/dstream-types.ts'`,
    `declare const words: DStream<string>`,
    ...claims,
  ])
  const lines = [...output.matchAll(/wrong\.ts\((\d+),/g)].map(([, line]) => Number(line))
  expect([...new Set(lines)].sort((a, b) => a - b)).toEqual(claims.map((_, i) => i + 5))
})

// Forty operators of all families, the types of each made of those of the one before.
const OPERATORS = [
  ...Array.from({ length: 6 }, (_, i) => [
    `.flatMap(([key, value]) => [[key + '${i}', { value, n: ${i} }] as const])`,
    `.mapValues(({ value, n }) => [value, n] as const)`,
    `.filter(([key]) => key !== '${i}')`,
    `.reduceByKey((a) => a)`,
  ]).flat(),
  `.mapValues((v) => v.length)`,
  `.reduceByKeyAndWindow((a, b) => a + b, (a) => a, '4s', '1s', { filter: ([, n]) => n > 0 })`,
  `.leftOuterJoin(orders)`,
  `.fullOuterJoin(new Map([['a', new Date(0)]]))`,
  `.cogroup(orders)`,
  `.flatMapValues(([left, right]) => left.map((l) => ({ l, r: right.length })))`,
  `.groupByKeyAndWindow('4s', '2s')`,
  `.updateStateByKey((values, n: number | undefined) => values.flat().length + (n ?? 0))`,
  `.mapWithState((key, value, state: State<string[]>) => [key, [value, state.get()]] as const)`,
  `.transform((batch) => batch.sortByKey().zipWithIndex().map(([pair]) => pair))`,
  `.transformWith(orders, (a, b) => a.join(b.groupByKey()))`,
  `.mapAsync(async ([key, both]) => [key, both] as const, { concurrency: 4 })`,
  `.mapPartitions((part) => [...part].map(([key, [left]]) => [key, left] as const))`,
  `.countByValueAndWindow('8s', '2s')`,
  `.union(orders.window('2s', '2s').map((order) => [[order[0], [1, ['x']]] as const, 1]))`,
  `.repartition(2)`,
]

test('forty operators are checked in less than two seconds', { timeout: 120_000 }, () => {
  const imports = [`import type { DStream, State } from 'millrace'`]
  const uses = ['export type Used = [DStream<1>, State<1>]']
  const checkSeconds = (name: string, lines: string[]): number => {
    const output = compile(name, lines)
    expect(output).not.toMatch(/error TS/)
    return Number(/Check time:\s+([\d.]+)s/.exec(output)?.[1])
  }
  expect(OPERATORS).toHaveLength(40)
  const pipeline = [
    'export function build(orders: DStream<[string, number]>): void {',
    `  orders\n${OPERATORS.map((operator) => `    ${operator}`).join('\n')}\n    .print()`,
    '}',
  ]
  const taken = (): number => {
    const empty = checkSeconds('empty', [...imports, ...uses])
    expect(empty).toBeGreaterThan(0)
    return checkSeconds('long', [...imports, ...uses, ...pipeline]) - empty
  }
  // A machine that is busy with other things slows one of them down: the best of three counts.
  let best = taken()
  for (let again = 0; again < 2 && best >= 2; again++) best = Math.min(best, taken())
  expect(best).toBeLessThan(2)
})
