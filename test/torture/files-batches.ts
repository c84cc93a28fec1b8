// What the folders of `files` hold.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The records of each batch in the folder of a `files` sink. */
export function batchesIn(folder: string): Map<number, unknown[]> {
  const names = readdirSync(folder)
  const left = names.filter((name) => !/^batch-\d{12}$/.test(name))
  if (left.length > 0) throw new Error(`"${folder}" must hold batches only, got ${left.join()}`)
  return new Map(
    names.map((name) => [Number(name.slice('batch-'.length)), recordsOf(join(folder, name))]),
  )
}

function recordsOf(batch: string): unknown[] {
  const manifest = JSON.parse(readFileSync(join(batch, '_manifest.json'), 'utf8')) as {
    readonly records: number
    readonly parts: readonly { readonly file: string; readonly records: number }[]
  }
  const named = manifest.parts.map(({ file }) => file)
  const there = readdirSync(batch).filter((name) => name !== '_manifest.json')
  if (named.join() !== there.sort().join()) {
    throw new Error(`"${batch}" must hold ${named.join()}, got ${there.join()}`)
  }
  const records = named.flatMap((file) =>
    readFileSync(join(batch, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  )
  if (records.length === manifest.records) return records
  throw new Error(`"${batch}" must hold ${manifest.records} records, got ${records.length}`)
}
