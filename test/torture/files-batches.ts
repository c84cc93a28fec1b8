// What the folders of `files` hold.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How folders and files are read. */
export interface FolderReader {
  /** The names in a folder. */
  names(path: string): string[]
  /** What is in a file. */
  text(path: string): string
}

const REAL: FolderReader = {
  names: (path) => readdirSync(path),
  text: (path) => readFileSync(path, 'utf8'),
}

/** The records of each batch in the folder of a `files` sink. */
export function batchesIn(folder: string, reader = REAL): Map<number, unknown[]> {
  const names = reader.names(folder)
  const left = names.filter((name) => !/^batch-\d{12}$/.test(name))
  if (left.length > 0) throw new Error(`"${folder}" must hold batches only, got ${left.join()}`)
  return new Map(
    names.map((name) => {
      return [Number(name.slice('batch-'.length)), recordsOf(join(folder, name), reader)]
    }),
  )
}

function recordsOf(batch: string, reader: FolderReader): unknown[] {
  const manifest = JSON.parse(reader.text(join(batch, '_manifest.json'))) as {
    readonly records: number
    readonly parts: readonly { readonly file: string; readonly records: number }[]
  }
  const named = manifest.parts.map(({ file }) => file)
  const there = reader.names(batch).filter((name) => name !== '_manifest.json')
  if (named.join() !== there.sort().join()) {
    throw new Error(`"${batch}" must hold ${named.join()}, got ${there.join()}`)
  }
  const records = named.flatMap((file) =>
    reader
      .text(join(batch, file))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  )
  if (records.length === manifest.records) return records
  throw new Error(`"${batch}" must hold ${manifest.records} records, got ${records.length}`)
}
