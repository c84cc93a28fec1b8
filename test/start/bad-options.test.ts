// Options from JSON, from JavaScript or misspelt: each is refused where it is given, by name and
// value, and nothing was started.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ConfigError,
  type DStream,
  type PipelineOptions,
  pipeline,
  type StartModuleOptions,
  start,
} from 'millrace'
import { S3Store } from 'millrace/checkpoint'
import { kinesis } from 'millrace/kinesis'
import { files } from 'millrace/sinks'
import { socketLines, textFiles } from 'millrace/sources'
import { ManualClock, MemoryStore, quietLogger, runBatches } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WorkerPool } from '../../src/workers/worker-pool.ts'

let folder: string
const startThreads = vi.spyOn(WorkerPool, 'start')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-options-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const options = { batchInterval: '1s', checkpoint: false } as const
const idle = pipeline('idle', options, (ssc) => ssc.queue<string>([]).print())
const writer = new URL('./fixtures/writer.ts', import.meta.url)

/** The error that a call throws, or that its promise rejects with. */
async function refusalOf(call: () => unknown): Promise<Error> {
  try {
    await call()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return error as Error
  }
  throw new Error('it was accepted')
}

const describing = (more: object) => () =>
  pipeline('p', { ...options, ...more } as PipelineOptions, () => undefined)

describe('one of a few words', () => {
  const reading = (more: object) => () => kinesis({ stream: 's', ...more })
  const port = { host: 'localhost', port: 1 }
  test.each([
    ['onBatchError', 'skip', describing({ onBatchError: 'skip', checkpoint: './x' })],
    ['onBatchError', 'Stop', describing({ onBatchError: 'Stop' })],
    ['onStuckWorker', 'kill', describing({ onStuckWorker: 'kill' })],
    ['until', 'caughtup', () => start(idle, { until: 'caughtup' as 'caught-up' })],
    ['takeover', 'forced', () => start(idle, { takeover: 'forced' as 'force' })],
    ['onGap', 'stop', reading({ onGap: 'stop' })],
    ['onLongLine', 'cut', () => textFiles('in', { onLongLine: 'cut' as 'drop' })],
    ['onLongLine', 'cut', () => socketLines({ ...port, onLongLine: 'cut' as 'drop' })],
  ])('%s: %s is refused, with the words that there are', async (option, value, call) => {
    const { message } = await refusalOf(call)
    expect(message).toMatch(new RegExp(`^Cannot use '${value}' as ${option}: it must be '.* or '`))
  })
})

describe('checkpoint', () => {
  test.each([
    ['', /a folder.*checkpoint: false/],
    [true, /Cannot use true as checkpoint/],
    [null, /Cannot use null as checkpoint/],
    [7, /Cannot use 7 as checkpoint/],
    [{}, /as checkpoint/],
    [new URL('file:///tmp/x'), /as checkpoint/],
    ['gs://bucket/prefix', /'gs:\/\/bucket\/prefix'.*s3:\/\/bucket\/prefix/],
    ['file:///var/state', /'file:\/\/\/var\/state'.*a folder/],
    ['s3:bucket', /s3:\/\/bucket\/prefix/],
    ['s3://B/prefix', /bucket "B"/],
  ])('%s is refused', async (checkpoint, says) => {
    const call = async () => {
      describing({ checkpoint })()
      const overrides = { checkpoint: checkpoint as string }
      await start(idle, { overrides, logger: quietLogger })
    }
    expect((await refusalOf(call)).message).toMatch(says)
  })

  test('a folder, a bucket, a store and false are taken', () => {
    const store = new S3Store({ bucket: 'checkpoints' })
    const good = ['state', '/var/state', 'C:\\state', 's3://bucket/p', new MemoryStore(), store]
    for (const checkpoint of [...good, false]) expect(describing({ checkpoint })).not.toThrow()
  })
})

test.each([undefined, null, '', 7])('files(%s) is refused', async (path) => {
  const { message } = await refusalOf(() => files(path as string))
  expect(message).toMatch(/^Cannot write files to folder .*: give its path/)
})

describe('stopOn', () => {
  const signalsOf = () => process.eventNames().filter((name) => String(name).startsWith('SIG'))

  test.each([
    ['SIGKILL', /'SIGKILL' as stopOn: no process can catch it/],
    ['SIGSTOP', /'SIGSTOP' as stopOn: no process can catch it/],
    ['sigterm', /'sigterm' as stopOn: .*'SIGTERM'/],
    ['TERM', /'TERM' as stopOn: .*'SIGTERM'/],
    [15, /15 as stopOn/],
  ])('%s is refused before a thread starts', async (signal, says) => {
    const stopOn = ['SIGUSR2', signal] as NodeJS.Signals[]
    const before = signalsOf()
    const { message } = await refusalOf(() => start(writer, { stopOn, workers: 1 }))
    expect(message).toMatch(says)
    expect(signalsOf()).toEqual(before)
    expect(startThreads).not.toHaveBeenCalled()
  })

  test('a text in place of the list is refused', async () => {
    const stopOn = 'SIGTERM' as unknown as NodeJS.Signals[]
    expect((await refusalOf(() => start(idle, { stopOn }))).message).toMatch(
      /a list of signals, such as \['SIGTERM'/,
    )
  })

  test('a stopWithin that is no duration is refused', async () => {
    const stopWithin = 'soon' as '1s'
    const { message } = await refusalOf(() => start(idle, { stopWithin }))
    expect(message).toMatch(/'soon' as stopWithin/)
  })
})

describe('what start() is given', () => {
  test.each([
    ['./trending.ts', /new URL\('\.\/trending\.ts', import\.meta\.url\)/],
    ['file:///srv/trending.ts', /new URL\('file:\/\/\/srv\/trending\.ts'\)/],
    [undefined, /Cannot start undefined/],
    [null, /Cannot start null/],
    [{}, /what pipeline\(\) gives/],
    [{ name: 'p', options, build: 1 }, /what pipeline\(\) gives/],
  ])('%s is refused', async (what, says) => {
    expect((await refusalOf(() => start(what as unknown as URL))).message).toMatch(says)
  })

  test('args that no worker could be sent are refused by their name', async () => {
    const args = { folder, position: { batchId: 1 }, log: () => undefined }
    const { message } = await refusalOf(() => start(writer, { args, workers: 1 }))
    expect(message).toMatch(/args.*"log".*structured/)
    expect(startThreads).not.toHaveBeenCalled()
    expect(await readdir(folder)).toEqual([])
  })

  test.each([
    [0, /0 as semiSpaceMb/],
    [1.5, /1\.5 as semiSpaceMb/],
  ])('a semi-space of %s MB is refused', async (semiSpaceMb, says) => {
    const options: StartModuleOptions<unknown> = { semiSpaceMb, workers: 1 }
    expect((await refusalOf(() => start(writer, options))).message).toMatch(says)
  })
})

describe('numbers', () => {
  test.each([5.5, 0, 10_001, Number.NaN])(
    'recordsPerCallMax: %s is refused',
    (recordsPerCallMax) => {
      const call = () => kinesis({ stream: 's', recordsPerCallMax })
      const rule = 'as recordsPerCallMax: it must be a whole number from 1 to 10000'
      expect(call).toThrow(`Cannot use ${recordsPerCallMax} ${rule}`)
    },
  )
})

describe('persist', () => {
  test.each(['memory', 'memory-and-disk', 'disk'] as const)(
    'at level %s keeps batches in memory; a disk is asked for in vain, which is said once',
    async (level) => {
      const warnings: string[] = []
      const warn = (_fields: object, message: string): void => void warnings.push(message)
      const logger = { ...quietLogger, warn }
      let runs = 0
      const persisting = pipeline('persisting', { ...options, batchInterval: 1_000 }, (ssc) => {
        const counted = ssc
          .queue([[1]])
          .map((n) => n + runs++)
          .persist(level)
        counted.union(counted).foreachBatch(() => undefined)
      })
      const clock = new ManualClock()
      const run = await start(persisting, { logger, clock })
      const completed = new Promise((resolve) => run.on('batch-completed', resolve))
      clock.advance(1_000)
      await completed
      await run.stop()
      expect(runs).toBe(1)
      const asked = level === 'memory' ? [] : [expect.stringContaining(`'${level}'`)]
      expect(warnings).toEqual(asked)
    },
  )

  test('at another level is refused', async () => {
    const run = runBatches({ inputs: [[]], batches: 1 }, (_ssc, s: DStream<number>) =>
      s.persist('ssd' as 'disk'),
    )
    await expect(run).rejects.toThrow(/Cannot use 'ssd' as the level at which ".*" is persisted/)
  })
})
