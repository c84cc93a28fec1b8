// A demo folder made by hand: what a run would leave, small enough to reason about.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type DemoFolder, demoFolder } from '../../demo/demo-folder.ts'
import { batchPath, type Count } from '../../demo/output-files.ts'
import { WINDOW_MS } from '../../demo/window-check.ts'

export const ZERO_TIME = 1_700_000_000_000

/** Gives the folder of a demo that was not run yet. */
export async function makeFolder(): Promise<DemoFolder> {
  return demoFolder(await mkdtemp(join(tmpdir(), 'millrace-demo-')))
}

export async function removeFolder(folder: DemoFolder): Promise<void> {
  await rm(folder.root, { recursive: true, force: true })
}

/** Writes the record and both outputs of a right run; each text is one record, sent in one batch.
 * The keys are the numbers of the batches, a second each. */
export async function fillFolder(folder: DemoFolder, texts: Record<number, string>): Promise<void> {
  await writeRecord(folder, Object.values(texts))
  const last = Math.max(...Object.keys(texts).map(Number))
  for (let batchId = 1; batchId <= last; batchId++) {
    const time = ZERO_TIME + batchId * 1_000
    const upTo = (from: number) =>
      countsOf(Object.entries(texts).filter(([id]) => Number(id) > from && Number(id) <= batchId))
    const totals = upTo(0)
    const active = countsOf([['', texts[batchId] ?? '']])
    const totalOf = new Map(totals)
    await writeBatch(
      folder.totals,
      batchId,
      time,
      active.map(([word]) => [word, totalOf.get(word)!]),
    )
    await writeBatch(folder.window, batchId, time, upTo(batchId - WINDOW_MS / 1_000))
  }
}

/** Writes what the producer says it sent, one put a text. */
export async function writeRecord(folder: DemoFolder, texts: readonly string[]): Promise<void> {
  const lines = texts.flatMap((text, index) => [
    { intent: index + 1, records: [['1790', text]], next: [0, index + 1] },
    { ack: index + 1, failed: [], last: {}, totalRecords: index + 1, totalWords: 0 },
  ])
  await mkdir(dirname(folder.sent), { recursive: true })
  await writeFile(folder.sent, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** Writes one batch as the `files` sink does, in two parts; one without records is not there. */
export async function writeBatch(
  output: string,
  batchId: number,
  time: number,
  counts: readonly Count[],
): Promise<void> {
  const path = batchPath(output, batchId)
  await rm(path, { recursive: true, force: true })
  if (counts.length === 0) return
  await mkdir(path, { recursive: true })
  const parts = [0, 1].map((partition) => {
    const records = counts.filter((_, index) => index % 2 === partition)
    const bytes = Buffer.from(records.map((count) => `${JSON.stringify(count)}\n`).join(''))
    return { file: `part-0000${partition}.jsonl`, records, bytes }
  })
  for (const { file, bytes } of parts) await writeFile(join(path, file), bytes)
  const manifest = {
    pipeline: 'word-count',
    batchId,
    time,
    epoch: 1,
    records: counts.length,
    parts: parts.map(({ file, records, bytes }) => {
      return { file, records: records.length, bytes: bytes.length, crc32: crc32(bytes) }
    }),
  }
  await writeFile(join(path, '_manifest.json'), JSON.stringify(manifest))
}

/** Changes the counts of a batch, and its manifest with them. */
export async function rewriteBatch(
  output: string,
  batchId: number,
  change: (counts: readonly Count[]) => readonly Count[],
): Promise<void> {
  const path = batchPath(output, batchId)
  const parts = await Promise.all([0, 1].map((i) => readFile(join(path, `part-0000${i}.jsonl`))))
  const lines = parts.flatMap((part) => part.toString().split('\n').filter(Boolean))
  const counts = lines.map((line) => JSON.parse(line) as Count)
  await writeBatch(output, batchId, ZERO_TIME + batchId * 1_000, change(counts))
}

function countsOf(texts: readonly (readonly [string, string])[]): Count[] {
  const counts = new Map<string, number>()
  for (const word of texts.flatMap(([, text]) => text.split(' ').filter(Boolean))) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts]
}
