// Pipelines started from their module on worker threads, with receivers in the I/O thread.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Run, start } from 'millrace'
import { afterAll, describe, expect, test } from 'vitest'
import { takeSeen } from './seen.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-workers-'))
const graphs = new URL('./another-graph.ts', import.meta.url)
const pipelines = new URL('./threaded-pipelines.ts', import.meta.url)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function run(name: string, workers: number, checkpoint?: string): Promise<Run> {
  const overrides = checkpoint === undefined ? {} : { checkpoint }
  return start(pipelines, { export: name, workers, until: 'caught-up', overrides })
}

describe('a worker that built another graph is refused', { timeout: 120_000 }, () => {
  test.each(['shape', 'closure'])('where another %s was built', async (name) => {
    const started = start(graphs, { export: name, workers: 2 })
    await expect(started).rejects.toMatchObject({ code: 'WORKER_DIFFERS' })
  })
})

// Threads start slowly on a machine that has other work.
describe('start(url) on workers', { timeout: 120_000 }, () => {
  test.each([0, 1, 2, 3])('gives the results of one thread on %d', async (workers) => {
    const started = await run('counts', workers)
    await started.done
    // All keys are emitted in every batch: as long as it runs, the last two show again.
    expect(takeSeen().slice(0, 2)).toEqual([
      [
        ['a', 2],
        ['b', 1],
      ],
      [
        ['a', 3],
        ['b', 1],
        ['c', 1],
      ],
    ])
    expect(started.metrics()['words']).toBe(5)
  })

  test('gives the error of a closure with its class, code, place and cause', async () => {
    const started = await run('fails', 2)
    const error = (await started.done.catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ name: 'TaskError', code: 'TASK_FAILED', place: { record: 1 } })
    expect(error.cause).toBeInstanceOf(RangeError)
    // All keys are emitted in every batch: as long as it runs, the last two show again.
    expect(takeSeen().slice(0, 2)).toEqual([])
  })

  test('replaces a worker that exits, where there is no state', async () => {
    const replaced: number[] = []
    const started = await start(pipelines, {
      export: 'exitsOnce',
      args: join(folder, 'exited'),
      workers: 2,
      until: 'caught-up',
      onEvent: (event) => {
        if (event.kind === 'worker-replaced') replaced.push(event.worker)
      },
    })
    await started.done
    // All keys are emitted in every batch: as long as it runs, the last two show again.
    expect(takeSeen().slice(0, 2)).toEqual([[2, 4, 6]])
    expect(replaced).toHaveLength(1)
  })

  test('ends a pipeline with state and no checkpoint whose worker exits', async () => {
    const args = join(folder, 'exited-with-state')
    const started = await start(pipelines, { export: 'stateExits', args, workers: 2 })
    await expect(started.done).rejects.toMatchObject({ code: 'WORKER_DIED' })
    takeSeen()
  })

  test('reports a worker that is stuck with its stack, and ends it if asked', async () => {
    const stacks: (string | undefined)[] = []
    const started = await start(pipelines, {
      export: 'stuck',
      workers: 1,
      onEvent: (event) => {
        if (event.kind === 'worker-stuck') stacks.push(event.stack)
      },
    })
    await expect(started.done).rejects.toMatchObject({ code: 'WORKER_DIED' })
    expect(stacks[0]).toContain('busyClosure')
    takeSeen()
  })
})
