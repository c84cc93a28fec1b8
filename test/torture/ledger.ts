// What was run once, in a file that is committed: one row for each run of a torture on a store.

import { readFileSync, writeFileSync } from 'node:fs'

/** One run of a torture. */
export interface LedgerRow {
  readonly name: string
  readonly store: string
  /** The first seed. */
  readonly from: number
  /** The last seed that ran; less than `from` + `count` − 1 where the run was interrupted. */
  readonly to: number
  /** How many cases were asked for. */
  readonly count: number
  readonly found: number
  readonly commit: string
  readonly date: string
  readonly seconds: number
  /** How often each outcome came. */
  readonly outcomes: string
}

const COLUMNS = [
  'name',
  'store',
  'from',
  'to',
  'count',
  'found',
  'commit',
  'date',
  'seconds',
  'outcomes',
] as const satisfies readonly (keyof LedgerRow)[]

/** Gives the rows of a ledger's text. */
export function parseLedger(text: string): LedgerRow[] {
  return text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => {
      const cells = line.split('\t')
      const at = (column: keyof LedgerRow): string => cells[COLUMNS.indexOf(column)] ?? ''
      return {
        name: at('name'),
        store: at('store'),
        from: Number(at('from')),
        to: Number(at('to')),
        count: Number(at('count')),
        found: Number(at('found')),
        commit: at('commit'),
        date: at('date'),
        seconds: Number(at('seconds')),
        outcomes: at('outcomes'),
      }
    })
}

/** Gives a ledger's text. */
export function formatLedger(rows: readonly LedgerRow[]): string {
  const lines = rows.map((row) => COLUMNS.map((column) => String(row[column])).join('\t'))
  return `${[COLUMNS.join('\t'), ...lines].join('\n')}\n`
}

/** A ledger in a file. */
export class Ledger {
  readonly #path: string
  readonly #rows: LedgerRow[]

  constructor(path: string) {
    this.#path = path
    this.#rows = parseLedger(readFileSync(path, 'utf8'))
  }

  get rows(): readonly LedgerRow[] {
    return this.#rows
  }

  /** The row of the same command that was interrupted; undefined if none was. */
  interrupted(wanted: Pick<LedgerRow, 'name' | 'store' | 'from' | 'count'>): LedgerRow | undefined {
    return this.#rows.findLast(
      (row) =>
        row.name === wanted.name &&
        row.store === wanted.store &&
        row.from === wanted.from &&
        row.count === wanted.count &&
        row.found === 0 &&
        row.to < row.from + row.count - 1,
    )
  }

  /** Writes a row in place of `before`, or as a new one. */
  put(row: LedgerRow, before: LedgerRow | undefined): void {
    const index = before === undefined ? -1 : this.#rows.indexOf(before)
    if (index === -1) this.#rows.push(row)
    else this.#rows[index] = row
    writeFileSync(this.#path, formatLedger(this.#rows))
  }
}
