import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatLedger, Ledger, type LedgerRow, parseLedger } from './ledger.ts'
import { runTorture, type Torture } from './torture.ts'
import { TORTURES } from './tortures.ts'

const row: LedgerRow = {
  name: 'flips',
  store: 'memory',
  from: 1,
  to: 40,
  count: 100,
  found: 0,
  commit: 'abc1234',
  date: '2026-11-24',
  seconds: 3,
  outcomes: 'refused 10, warned 30',
}

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-ledger-'))
  path = join(folder, 'ledger.tsv')
  writeFileSync(path, formatLedger([]))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a ledger gives the row of a command that was interrupted, and replaces it', () => {
  new Ledger(path).put(row, undefined)
  const ledger = new Ledger(path)
  const before = ledger.interrupted(row)
  expect(before).toEqual(row)
  ledger.put({ ...row, to: 100 }, before)
  expect(parseLedger(readFileSync(path, 'utf8'))).toEqual([{ ...row, to: 100 }])
  expect(new Ledger(path).interrupted(row)).toBeUndefined()
})

test('a ledger does not go on with other seeds, or with a run that found something', () => {
  const ledger = new Ledger(path)
  ledger.put(row, undefined)
  ledger.put({ ...row, store: 's3', found: 1 }, undefined)
  expect(ledger.interrupted({ ...row, from: 2 })).toBeUndefined()
  expect(ledger.interrupted({ ...row, count: 101 })).toBeUndefined()
  expect(ledger.interrupted({ ...row, store: 's3' })).toBeUndefined()
})

test('the committed ledger holds whole runs of tortures that there are', () => {
  const committed = fileURLToPath(new URL('ledger.tsv', import.meta.url))
  for (const one of new Ledger(committed).rows) {
    const torture = TORTURES.find(({ name }) => name === one.name)
    expect(torture?.stores, one.name).toContain(one.store)
    expect(one.to, one.name).toBe(one.from + one.count - 1)
  }
})

test('a torture goes on after a finding, names its seed, and closes', async () => {
  let closed = 0
  const torture: Torture = {
    name: 'odd',
    what: 'fails for seed 3',
    stores: ['memory'],
    counts: { ci: 4, once: 10 },
    open: () =>
      Promise.resolve({
        run: (seed) =>
          seed === 3 ? Promise.reject(new Error('it is 3')) : Promise.resolve('fine'),
        close: () => {
          closed += 1
          return Promise.resolve()
        },
      }),
  }
  const report = await runTorture(torture, { seed: 2 })
  expect(report.to).toBe(5)
  expect(report.found).toEqual([{ seed: 3, error: new Error('it is 3') }])
  expect([...report.outcomes]).toEqual([['fine', 3]])
  expect(closed).toBe(1)
})
