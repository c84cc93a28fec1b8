// docs/format.md is enough to read a checkpoint: read-checkpoint.mjs was written from that page
// alone and imports nothing of src/.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MemoryStore } from 'millrace/testing'
import { afterAll, expect, test } from 'vitest'
import { INTERVAL_MS } from '../state/kept-pipeline.ts'
import { Lives } from '../state/lives.ts'

const READER = fileURLToPath(new URL('./read-checkpoint.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-format-'))
const BATCHES = 13

afterAll(() => rmSync(folder, { recursive: true }))

/** A number, or what mapWithState keeps. */
type Value = number & { readonly n: number }

/** What the reader prints. */
interface Found {
  readonly positions: readonly (readonly [partition: string, position: unknown])[]
  readonly committed: readonly number[]
  readonly state: readonly (readonly [operatorAndKey: string, value: Value])[]
  readonly windows: readonly (readonly [operator: string, time: number, record: unknown])[]
}

async function readBack(name: string, store: MemoryStore): Promise<Found> {
  const dir = join(folder, name)
  for (const object of await store.list('')) {
    mkdirSync(dirname(join(dir, object)), { recursive: true })
    writeFileSync(join(dir, object), (await store.read(object)) ?? '')
  }
  return JSON.parse(execFileSync(process.execPath, [READER, dir], { encoding: 'utf8' })) as Found
}

/** The lines of batch `n`: keys that every second batch has, and some of its own. */
function linesOf(n: number): string[] {
  return Array.from({ length: 8 }, (_, i) => `${i % 2 === 0 ? `key-${i}` : `of-${n}`} ${n}`)
}

function stateOf({ state }: Found, operator: string): (readonly [string, Value])[] {
  return state.flatMap(([name, value]) =>
    name.startsWith(`${operator} `) ? [[name.slice(operator.length + 1), value] as const] : [],
  )
}

function sorted(records: readonly unknown[]): string[] {
  return records.map((record) => JSON.stringify(record)).sort()
}

/** The records of a window that are not older than its length. */
function windowOf({ windows }: Found, operator: string, seconds: number): string[] {
  const kept = windows.filter(
    ([id, time]) => id === operator && time > (BATCHES - seconds) * INTERVAL_MS,
  )
  return sorted(kept.map(([, , record]) => record))
}

test.each([0, 2])('docs/format.md tells all of a checkpoint of %i workers', async (workers) => {
  const script = Array.from({ length: BATCHES }, (_, i) => linesOf(i + 1))
  const lives = new Lives(script)
  const paced = { workers, snapshotEvery: 3, snapshotBytesPerSecond: 1e9 }
  await lives.live({ ...paced, batches: 5, diesAt: 'sinks' })
  await lives.live({ ...paced, batches: BATCHES - 5, diesAt: null })
  expect(lives.snapshots).toBeGreaterThan(1)

  const found = await readBack(`workers-${workers}`, lives.store)
  const end = { kind: 'sequence', sequence: String(BATCHES), sub: -1 }
  const positions = Object.fromEntries(found.positions)
  expect(positions).toEqual({ 'partition-000': end, 'partition-001': end })
  expect(found.committed.at(-1)).toBe(BATCHES)
  expect(found.committed.length).toBeLessThan(BATCHES)

  const states = stateOf(found, 'mapWithState(source-0)').map(([key, kept]) => [key, kept.n])
  expect(sorted(states)).toEqual(sorted(lives.newest('states')))
  const totals = stateOf(found, 'updateStateByKey(source-0)')
  expect(sorted(totals)).toEqual(sorted(lives.newest('totals')))
  const added = stateOf(found, 'reducedWindow(source-0)')
  expect(sorted(added)).toEqual(sorted(lives.newest('added')))

  const newest = (batches: number) => script.slice(-batches).flat()
  const pairs = (lines: string[], times: number) =>
    lines.map((line) => line.split(' ')).map(([key, n]) => [key, Number(n) * times])
  expect(windowOf(found, 'window(source-0)', 3)).toEqual(sorted(newest(3)))
  expect(windowOf(found, 'window(source-0)#2', 2)).toEqual(sorted(pairs(newest(2), 1)))
  expect(windowOf(found, 'window(source-0)#3', 3)).toEqual(sorted(pairs(newest(3), 2)))
})
