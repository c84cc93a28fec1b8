// Files in, files out, and a process that is killed with SIGKILL at each point of a batch: every
// line is there once, in its order, and counted once.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./fixtures/run-file-lines.ts', import.meta.url))
const KILLS = ['batch-planned', 'batch-ran', 'batch-written', 'batch-completed'].flatMap(
  (event) => [[event, 1] as const, [event, 3] as const],
)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-killed-'))
  await mkdir(join(folder, 'in'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Starts the process; `exited` gives how it ended. */
function run(...args: string[]) {
  const child = fork(SCRIPT, [folder, ...args], { execArgv: ['--conditions=millrace-src'] })
  const started = once(child, 'message')
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  return { started: Promise.race([started, exited]), exited }
}

let written: string[] = []

/** Puts two files of lines into the folder: written elsewhere, and renamed when complete. */
async function putFiles(): Promise<void> {
  for (let file = 0; file < 2; file++) {
    const from = written.length
    const lines = Array.from({ length: 150 }, (_, i) => `word-${(from + i) % 7} line ${from + i}`)
    const elsewhere = join(folder, 'unfinished')
    await writeFile(elsewhere, `${lines.join('\n')}\n`)
    await rename(elsewhere, join(folder, 'in', `${String(from).padStart(8, '0')}.txt`))
    written.push(...lines)
  }
}

/** The records that a files sink holds, in order. */
async function recordsOf(sink: string): Promise<unknown[]> {
  const records: unknown[] = []
  for (const batch of (await readdir(join(folder, sink)))
    .filter((name) => /^batch-/.test(name))
    .sort()) {
    for (const part of (await readdir(join(folder, sink, batch))).sort()) {
      if (!part.endsWith('.jsonl')) continue
      const text = await readFile(join(folder, sink, batch, part), 'utf8')
      records.push(
        ...text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      )
    }
  }
  return records
}

test('every line of every file is written once, wherever the process is killed', {
  timeout: 120_000,
}, async () => {
  written = []
  for (const [event, n] of KILLS) {
    const { started, exited } = run(event, String(n))
    await started
    await putFiles()
    expect((await exited)[1], event).toBe('SIGKILL')
  }
  await putFiles()
  expect(await run().exited).toEqual([0, null])

  expect(await recordsOf('lines')).toEqual(written)
  const counts = new Map((await recordsOf('counts')) as [string, number][])
  const expected = new Map<string, number>()
  for (const line of written) {
    const word = line.split(' ')[0] ?? ''
    expected.set(word, (expected.get(word) ?? 0) + 1)
  }
  expect(counts).toEqual(expected)
})
