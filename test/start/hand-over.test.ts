// A process hands its checkpoint over to one that waits for it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LEASE_MS } from '../../src/checkpoint/heartbeat.ts'
import { batchesIn } from '../torture/files-batches.ts'

interface Message {
  readonly batchId?: number
  readonly code?: string
  readonly started?: boolean
  readonly ended?: boolean
}

let folder: string
let children: ChildProcess[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-hand-over-'))
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

/** A process, and what it has said. */
interface Writer {
  readonly child: ChildProcess
  readonly said: Message[]
}

function runWriter(workers: number, busyMs = 0): Writer {
  const script = fileURLToPath(new URL('./fixtures/run-hand-over.ts', import.meta.url))
  const execArgv = ['--conditions=millrace-src']
  const child = fork(script, [folder, String(workers), String(busyMs)], { execArgv })
  children.push(child)
  const said: Message[] = []
  child.on('message', (message: Message) => said.push(message))
  return { child, said }
}

const WITHIN = { timeout: 15_000, interval: 20 }

const batchesOf = (said: readonly Message[]): number[] =>
  said.flatMap(({ batchId }) => batchId ?? [])

/** Far less than the lease, which a process that is not handed the checkpoint waits for. */
const HAND_OVER_MS = LEASE_MS / 2

/** The second one waits; the first one gets SIGTERM between any two instructions of its batches. */
async function handOver(first: Writer, second: Writer): Promise<void> {
  const ran = batchesOf(first.said).length
  await vi.waitFor(() => expect(batchesOf(first.said).length).toBeGreaterThan(ran + 60), WITHIN)
  expect(second.said).toEqual([])
  const exited = once(first.child, 'exit')
  first.child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
  expect(first.said.at(-1)).toEqual({ ended: true })
  const endedAt = performance.now()
  await vi.waitFor(() => expect(batchesOf(second.said).length).toBeGreaterThan(0), WITHIN)
  expect(performance.now() - endedAt).toBeLessThan(HAND_OVER_MS)
  const [last, next] = [batchesOf(first.said).at(-1) ?? 0, batchesOf(second.said)[0] ?? 0]
  expect(next).toBe(last + 1)
}

test('SIGTERM ends a run under load, and the process that waits goes on at once', async () => {
  const writers = [runWriter(0)]
  await vi.waitFor(
    () => expect(batchesOf(writers[0]?.said ?? []).length).toBeGreaterThan(3),
    WITHIN,
  )
  for (let n = 0; n < 2; n += 1) {
    const next = runWriter(0)
    await handOver(writers[n] as Writer, next)
    writers.push(next)
  }
  const [last] = writers.slice(-1)
  const exited = once(last?.child as ChildProcess, 'exit')
  last?.child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
  const ids = writers.flatMap(({ said }) => batchesOf(said))
  expect(ids).toEqual(Array.from(ids, (_, i) => i + 1))
  const batches = batchesIn(join(folder, 'out'))
  // Each batch holds the word once, so a total that is not the batch's number lost or doubled one.
  const totals = ids.map((id) => new Map(batches.get(id) as [string, number][]).get('every'))
  expect(totals).toEqual(ids)
  expect(batches.size).toBe(ids.length)
}, 40_000)

test('the I/O thread gives signs of life for a driver whose event loop is held', async () => {
  const beat = (): Promise<string> => readFile(join(folder, 'state/epoch-1/heartbeat'), 'utf8')
  const { said } = runWriter(1, 7_000)
  await vi.waitFor(() => expect(said).toContainEqual({ started: true, ready: true }), WITHIN)
  await vi.waitFor(async () => expect(Number(await beat())).toBeGreaterThan(0), WITHIN)
  expect(batchesOf(said).length).toBeLessThan(20)
}, 40_000)
