// Every sink of ours against the contract, and sinks that break it, each in one way.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sink } from 'millrace'
import { console, files } from 'millrace/sinks'
import { CollectingSink, checkSink, type SinkGuarantee } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { savedFiles } from '../../src/sinks/saved-files.ts'
import { appendingSink, memoryTaskSink, SharedPlace, type Wrong } from './wrong-sinks.ts'

/** A sink on a folder of its own, whose parts hold a record a line. */
async function onFolder(
  make: (folder: string) => Sink<unknown>,
  isBatch: (name: string) => boolean,
  parse: (line: string) => unknown,
) {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-contract-'))
  const batches = async () => (await readdir(folder)).filter(isBatch)
  return {
    sink: () => make(folder),
    async read() {
      const records: unknown[] = []
      for (const batch of await batches()) {
        const parts = (await readdir(join(folder, batch))).filter((name) => /^part-/.test(name))
        for (const part of parts) {
          const text = await readFile(join(folder, batch, part), 'utf8')
          records.push(...text.trimEnd().split('\n').map(parse))
        }
      }
      return records
    },
    leftovers: async () => (await readdir(folder)).filter((name) => !isBatch(name)),
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

describe('our sinks keep the contract', () => {
  test('files', async () => {
    const open = () => onFolder(files, (name) => /^batch-\d+$/.test(name), JSON.parse)
    expect(await checkSink(open)).toEqual([])
  })

  test.each(['text', 'json'] as const)('saved %s files', async (format) => {
    const make = (folder: string) =>
      savedFiles({ format, prefix: join(folder, 'saved'), suffix: undefined })
    const parse = format === 'json' ? JSON.parse : (line: string) => line
    const open = () => onFolder(make, (name) => /^saved-\d+$/.test(name), parse)
    expect(await checkSink(open)).toEqual([])
  })

  test('console, which may show a batch again', async () => {
    const open = () => {
      let shown = ''
      const write = (text: string): void => {
        shown += text
      }
      const read = () => shown.split('\n').filter((line) => /^record/.test(line))
      return Promise.resolve({
        sink: () => console({ count: 100, write }),
        read: () => Promise.resolve(read()),
      })
    }
    expect(await checkSink(open)).toEqual([])
  })

  test('CollectingSink', async () => {
    const open = () => {
      const sink = new CollectingSink<unknown>()
      return Promise.resolve({ sink: () => sink, read: () => Promise.resolve(sink.records()) })
    }
    expect(await checkSink(open)).toEqual([])
  })
})

async function broken(make: (place: SharedPlace) => Sink<unknown>): Promise<SinkGuarantee[]> {
  const violations = await checkSink(() => {
    const place = new SharedPlace()
    return Promise.resolve({
      sink: () => make(place),
      read: () => Promise.resolve([...place.visible]),
      leftovers: () => Promise.resolve(place.staged.map(({ batchId }) => `batch ${batchId}`)),
    })
  })
  return [...new Set(violations.map(({ guarantee }) => guarantee))]
}

describe('a sink in memory', () => {
  test('that keeps the contract is found to', async () => {
    expect(await broken((place) => memoryTaskSink(place))).toEqual([])
    expect(await broken((place) => appendingSink(place, true))).toEqual([])
  })

  const planted: [what: string, wrong: Wrong, guarantee: SinkGuarantee][] = [
    ['shows what tasks write', { showsAtWrite: true }, 'invisible'],
    ['adds a batch again', { forgetsReceipts: true }, 'once'],
    ['knows the batches of its own process only', { receiptsOfItsOwn: true }, 'once'],
    ['commits all attempts', { takesAllAttempts: true }, 'attempts'],
    ['commits what other batches left', { takesAllBatches: true }, 'attempts'],
    ['lets any epoch commit', { ignoresEpochs: true }, 'fenced'],
    ['says nothing to the epoch that it fences', { fencesWithoutError: true }, 'fenced'],
    ['loses the last partition', { losesTheLast: true }, 'complete'],
    ['forgets what it is asked about', { undoesRecovered: true }, 'complete'],
    ['begins with an empty place', { beginsEmpty: true }, 'complete'],
    ['sends a function to its tasks', { ticketIsAFunction: true }, 'threads'],
    ['counts partitions as records', { countsPartitions: true }, 'receipts'],
    ['cannot recover what it does not know', { refusesUnknown: true }, 'works'],
    ['never removes what it staged', { leavesStaged: true }, 'leftovers'],
  ]
  test.each(planted)('that %s is caught', async (_what, wrong, guarantee) => {
    expect(await broken((place) => memoryTaskSink(place, wrong))).toContain(guarantee)
  })

  test('without tasks that adds a batch again is caught', async () => {
    expect(await broken((place) => appendingSink(place, false))).toEqual(['once'])
  })

  test('that promises at least once may add a batch again, and may not lose one', async () => {
    const again: Wrong = { guarantee: 'at-least-once', forgetsReceipts: true, ignoresEpochs: true }
    expect(await broken((place) => memoryTaskSink(place, again))).toEqual([])
    const lossy: Wrong = { ...again, losesTheLast: true }
    expect(await broken((place) => memoryTaskSink(place, lossy))).toEqual(['complete'])
  })
})
