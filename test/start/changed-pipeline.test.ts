// A pipeline that changed between two starts on one checkpoint, with a batch between that sinks
// hold and the log has not committed, and without one.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DStream, pipeline, type Sink, type StreamingContext, start } from 'millrace'
import { files } from 'millrace/sinks'
import { postgres } from 'millrace/sinks/postgres'
import { textFiles } from 'millrace/sources'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  hasPostgres,
  type PostgresServer,
  rowsOf,
  startPostgres,
} from '../integration/postgres-server.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-changed-'))
  await mkdir(join(root, 'in'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

/** Runs what is declared until its input is processed. */
async function run(build: (ssc: StreamingContext) => void): Promise<void> {
  const changing = pipeline('p', { batchInterval: 20, checkpoint: join(root, 'state') }, build)
  await (await start(changing, { until: 'caught-up', logger: quietLogger })).done
}

const lines = (ssc: StreamingContext, folder = 'in'): DStream<string> =>
  ssc.receive(textFiles(join(root, folder), { newFilesOnly: false, existingAgeMax: '1h' }))

const put = (name: string, text: string) => writeFile(join(root, name), text)

/** A sink that says by its place which batches it holds. */
function placed(sink: CollectingSink<string>, place: string): Sink<string> {
  return { name: 'placed', guarantee: 'exactly-once', place, open: sink.open }
}

describe.skipIf(!hasPostgres())('an output to PostgreSQL', { timeout: 60_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  const table = () =>
    postgres<string>({ connection: server.url, table: 't', columns: { w: String } })
  const rows = () => rowsOf(server, 'SELECT w FROM t ORDER BY w')

  test('that moves while it may hold a batch is refused until that is committed', async () => {
    await server.client.query('CREATE TABLE t (w text)')
    await put('in/1', 'a\nb\n')
    const broken: Sink<string> = {
      name: 'broken',
      guarantee: 'at-least-once',
      open: () => Promise.resolve({ ...idle, write: () => Promise.reject(new Error('no')) }),
    }
    const before = (ssc: StreamingContext, last: Sink<string>): void => {
      lines(ssc).writeTo(table())
      lines(ssc).writeTo(last)
    }
    const after = (ssc: StreamingContext): void => {
      lines(ssc).writeTo(files(join(root, 'out')))
      lines(ssc).writeTo(table())
    }
    await expect(run((ssc) => before(ssc, broken))).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(await rows()).toEqual([{ w: 'a' }, { w: 'b' }])
    await expect(run(after)).rejects.toMatchObject({
      code: 'CHECKPOINT_INCOMPATIBLE',
      message: expect.stringContaining('output 0, which may hold one, must be "postgres:t"'),
    })
    await run((ssc) => before(ssc, new CollectingSink()))
    await put('in/2', 'c\n')
    await run(after)
    expect(await rows()).toEqual([{ w: 'a' }, { w: 'b' }, { w: 'c' }])
  })
})

const idle = { recover: () => Promise.resolve(), close: () => Promise.resolve() }

test('a batch that fails goes on with an operator more, in the output that stayed', async () => {
  await put('in/1', 'a\nbad\n')
  const [kept, added] = [new CollectingSink<string>(), new CollectingSink<string>()]
  const strict = (line: string): string => {
    if (line === 'bad') throw new Error('bad')
    return line
  }
  const failing = run((ssc) => lines(ssc).map(strict).writeTo(placed(kept, 'kept')))
  await expect(failing).rejects.toMatchObject({ code: 'TASK_FAILED' })
  await run((ssc) => {
    const good = lines(ssc).filter((line) => line !== 'bad')
    good.writeTo(placed(added, 'added'))
    good.map(strict).writeTo(placed(kept, 'kept'))
  })
  expect(kept.records()).toEqual(['a'])
  expect(added.records()).toEqual(['a'])
})

test('sources that change places are refused: each would go on where the other stood', async () => {
  await mkdir(join(root, 'other'))
  await put('in/1', 'a\n')
  const sink = new CollectingSink<string>()
  const both = (ssc: StreamingContext, ...folders: string[]): void => {
    for (const folder of folders) lines(ssc, folder).writeTo(placed(sink, folder))
  }
  await run((ssc) => both(ssc, 'in', 'other'))
  await expect(run((ssc) => both(ssc, 'other', 'in'))).rejects.toMatchObject({
    code: 'CHECKPOINT_INCOMPATIBLE',
    message: expect.stringMatching(/source 0 must be "textFiles:.*in", got "textFiles:.*other"/),
  })
})
