// Sinks whose tasks write: in the thread that has the records, with what the driver prepared.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Run, type StreamEvent, start } from 'millrace'
import { quietLogger } from 'millrace/testing'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { takeSteps } from './task-pipelines.ts'

const pipelines = new URL('./task-pipelines.ts', import.meta.url)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-tasks-'))
})
afterEach(() => void takeSteps())
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const events: StreamEvent[] = []

function run(name: string, workers: number, options: { verify?: boolean } = {}): Promise<Run> {
  events.length = 0
  const onEvent = (event: StreamEvent): void => void events.push(event)
  const how = { workers, until: 'caught-up', logger: quietLogger, ...options } as const
  return start(pipelines, { export: name, args: folder, onEvent, ...how })
}

/** Batches that failed: the one after them may have run ahead, and fails with them. */
const failed = () =>
  events.flatMap((event) => (event.kind === 'batch-failed' ? [event.batchId] : []))

const written = () => takeSteps().filter(({ phase }) => phase === 'write')

// Threads start slowly on a machine that has other work.
describe('tasks', { timeout: 120_000 }, () => {
  test.each([0, 1, 3])('write between prepare and commit, on %d workers', async (workers) => {
    const started = await run('told', workers)
    await started.done
    const steps = takeSteps()
    const writes = steps.slice(1, -1)
    expect([steps[0], steps.at(-1)]).toEqual([
      { phase: 'prepare', inDriver: true, attempt: 0 },
      { phase: 'commit', inDriver: true, attempt: 0 },
    ])
    expect(writes.map(({ records }) => records)).toEqual([[1], [2], [3], [4]])
    expect(writes.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
    expect(new Set(writes.map(({ inDriver }) => inDriver))).toEqual(new Set([workers === 0]))
    expect(new Set(writes.map(({ thread }) => thread)).size).toBe(Math.max(1, workers))
  })

  test('are run again in a higher attempt where a worker dies with its records', async () => {
    const started = await run('dies', 2)
    await started.done
    const steps = takeSteps()
    expect(steps.filter(({ phase }) => phase === 'prepare')).toHaveLength(2)
    const commits = steps.filter(({ phase }) => phase === 'commit')
    expect(commits).toEqual([{ phase: 'commit', inDriver: true, attempt: 1 }])
    const writes = steps.filter(({ phase }) => phase === 'write')
    expect(writes.map(({ attempt, records }) => [attempt, records])).toEqual([
      [1, [1]],
      [1, [2]],
      [1, [3]],
      [1, [4]],
    ])
    expect(started.metrics()).toMatchObject({ totalTaskRetries: 1, totalFailedBatches: 0 })
  })

  test('that fail end the run with their error, and the other outputs have the batch', async () => {
    const started = await run('fails', 2)
    const error = await started.done.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SINK_FAILED', cause: { code: 'ENOSPC' } })
    expect(String(error)).toMatch(/Cannot write batch 1 .* to "telling": no place/)
    const part = join(folder, 'batch-000000000001', 'part-00000.jsonl')
    expect(readFileSync(part, 'utf8')).toContain('1')
    expect(failed()[0]).toBe(1)
    expect(started.metrics()).toMatchObject({ totalTaskRetries: 0 })
  })

  test('write as they do where the batch is run twice and compared', async () => {
    const started = await run('told', 2, { verify: true })
    await started.done
    expect(written().map(({ records }) => records)).toEqual([[1], [2], [3], [4]])
  })

  test('keep their records out of the bound of what comes to the driver', async () => {
    const started = await run('large', 2)
    await expect(started.done).rejects.toMatchObject({ code: 'RESULTS_TOO_LARGE' })
    expect(failed()[0]).toBe(1)
  })

  test('write files, and those of saveAs…Files', async () => {
    const started = await run('saved', 2)
    await started.done
    const [batch = '', ...others] = readdirSync(join(folder, 'files'))
    expect(others).toEqual([])
    const lines = (path: string) =>
      readdirSync(path)
        .filter((name) => name.startsWith('part-'))
        .map((name) => readFileSync(join(path, name), 'utf8'))
        .join('')
    expect(lines(join(folder, 'files', batch))).toBe('"to"\n"be"\n')
    const texts = readdirSync(folder).find((name) => name.startsWith('texts-')) ?? ''
    expect(lines(join(folder, texts))).toBe('to\nbe\n')
  })
})
