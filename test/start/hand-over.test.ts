// A process hands its checkpoint over to one that waits for it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

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
function runWriter(workers: number, busyMs = 0): { child: ChildProcess; said: Message[] } {
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

test('SIGTERM ends a run, and the process that waits goes on at once', async () => {
  const first = runWriter(0)
  await vi.waitFor(() => expect(batchesOf(first.said).length).toBeGreaterThan(3), WITHIN)
  const second = runWriter(0)
  await vi.waitFor(() => expect(batchesOf(first.said).length).toBeGreaterThan(100), WITHIN)
  expect(second.said).toEqual([])
  const exited = once(first.child, 'exit')
  first.child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
  expect(first.said.at(-1)).toEqual({ ended: true })
  const endedAt = performance.now()
  await vi.waitFor(() => expect(batchesOf(second.said).length).toBeGreaterThan(0), WITHIN)
  expect(performance.now() - endedAt).toBeLessThan(8_000)
  const [last, next] = [batchesOf(first.said).at(-1) ?? 0, batchesOf(second.said)[0] ?? 0]
  expect(next).toBe(last + 1)
}, 40_000)

test('the I/O thread gives signs of life for a driver whose event loop is held', async () => {
  const beat = (): Promise<string> => readFile(join(folder, 'state/epoch-1/heartbeat'), 'utf8')
  const { said } = runWriter(1, 7_000)
  await vi.waitFor(() => expect(said).toContainEqual({ started: true, ready: true }), WITHIN)
  await vi.waitFor(async () => expect(Number(await beat())).toBeGreaterThan(0), WITHIN)
  expect(batchesOf(said).length).toBeLessThan(20)
}, 40_000)
