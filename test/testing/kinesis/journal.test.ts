import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KinesisSimulator } from '../../../src/testing/kinesis/simulator.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { type Answer, START_MS, texts } from './streams.ts'

let path: string
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'millrace-journal-'))
})
afterEach(() => rmSync(path, { recursive: true, force: true }))

const file = () => join(path, 'journal')
const clock = () => new ManualClock(START_MS)

function open(at = clock()): KinesisSimulator {
  return new KinesisSimulator({ clock: at, path, limits: 'off' })
}

function put(simulator: KinesisSimulator, text: string): Answer {
  const record = { PartitionKey: text, Data: Buffer.from(text) }
  return simulator.call('PutRecord', { StreamName: 's', ...record })
}

/** Puts 20 MB, in records of 1 MB. */
function putMuch(simulator: KinesisSimulator): void {
  const Data = Buffer.alloc(1_000_000)
  for (let i = 0; i < 20; i++) {
    simulator.call('PutRecord', { StreamName: 's', PartitionKey: `k${i}`, Data })
  }
}

/** All that a stream says of itself, and all its records. */
function contents(simulator: KinesisSimulator): Answer {
  const StreamName = 's'
  const { Shards } = simulator.call('ListShards', { StreamName }) as Answer
  const records = Shards.map(({ ShardId }: Answer) => {
    const of = { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
    const { ShardIterator } = simulator.call('GetShardIterator', of)
    return simulator.call('GetRecords', { ShardIterator })['Records']
  })
  return [simulator.call('DescribeStreamSummary', { StreamName }), Shards, records]
}

describe('a simulator with a folder', () => {
  test('finds its streams and records again, and goes on after them', async () => {
    const first = open()
    first.call('CreateStream', { StreamName: 's', ShardCount: 2 })
    put(first, 'a')
    first.call('SplitShard', { StreamName: 's', ShardToSplit: '0', NewStartingHashKey: '99' })
    first.call('IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 48 })
    const last = put(first, 'e').SequenceNumber
    const before = contents(first)
    await first.close()
    const second = open()
    expect(contents(second)).toEqual(before)
    expect(put(second, 'e').SequenceNumber > last).toBe(true)
    await second.close()
  })

  test('finishes a change that was under way', async () => {
    const at = clock()
    const options = { clock: at, path, streamDelayMs: 1_000 }
    const first = new KinesisSimulator(options)
    first.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    await first.close()
    const second = new KinesisSimulator(options)
    const status = () =>
      (second.call('DescribeStreamSummary', { StreamName: 's' }) as Answer).StreamDescriptionSummary
        .StreamStatus
    expect(status()).toBe('CREATING')
    at.advance(1_000)
    expect(status()).toBe('ACTIVE')
    await second.close()
  })

  test('cuts off a last change that is not whole, at every byte', async () => {
    const first = open()
    first.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    put(first, 'a')
    const whole = statSync(file()).size
    put(first, 'b')
    await first.close()
    const bytes = readFileSync(file())
    for (let length = whole; length < bytes.length; length++) {
      writeFileSync(file(), bytes.subarray(0, length))
      const next = open()
      expect(contents(next)[2][0].map(({ PartitionKey }: Answer) => PartitionKey)).toEqual(['a'])
      put(next, 'c')
      await next.close()
      const after = open()
      expect(texts({ Records: contents(after)[2][0] })).toEqual(['a', 'c'])
      await after.close()
    }
  })

  test('does not go on over damage in the middle', async () => {
    const first = open()
    first.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    put(first, 'a')
    await first.close()
    const bytes = readFileSync(file())
    bytes[20] = (bytes[20] ?? 0) ^ 1
    writeFileSync(file(), bytes)
    for (const _ of [1, 2]) expect(open).toThrow(/is damaged at byte 0/)
  })

  test('does not take a damaged length in the middle for the end of the file', async () => {
    const first = open()
    first.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    const at = statSync(file()).size
    for (const text of ['a', 'b', 'c']) put(first, text)
    await first.close()
    const bytes = readFileSync(file())
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ 1
    writeFileSync(file(), bytes)
    for (const _ of [1, 2]) expect(open).toThrow(`is damaged at byte ${at}`)
    expect(statSync(file()).size).toBe(bytes.length)
  })

  test('knows in a file written anew that a longer retention brings nothing back', async () => {
    const at = clock()
    const first = open(at)
    first.call('CreateStream', { StreamName: 's', ShardCount: 1 })
    putMuch(first)
    first.call('SplitShard', { StreamName: 's', ShardToSplit: '0', NewStartingHashKey: '99' })
    at.advance(25 * 3_600_000)
    first.call('IncreaseStreamRetentionPeriod', { StreamName: 's', RetentionPeriodHours: 168 })
    put(first, 'a')
    const before = contents(first)
    expect(before[1].map(({ ShardId }: Answer) => ShardId.at(-1))).toEqual(['1', '2'])
    await first.close()
    for (const _ of ['written anew', 'as it was written']) {
      const next = open(at)
      expect(statSync(file()).size).toBeLessThan(10_000)
      expect(contents(next)).toEqual(before)
      await next.close()
    }
  })

  test('is the only one with it', async () => {
    const first = open()
    expect(open).toThrow(/Cannot open .*: process \d+ on host .* has it open/)
    await first.close()
    expect(() => put(first, 'a')).toThrow('not found')
    expect(() => first.call('CreateStream', { StreamName: 's', ShardCount: 1 })).toThrow(
      'the simulator is closed',
    )
    await open().close()
  })

  test('writes its file anew without records that are gone', async () => {
    const at = clock()
    const first = open(at)
    first.call('CreateStream', { StreamName: 's', ShardCount: 2 })
    putMuch(first)
    first.call('MergeShards', { StreamName: 's', ShardToMerge: '0', AdjacentShardToMerge: '1' })
    at.advance(23 * 3_600_000)
    for (const text of ['a', 'b', 'c']) put(first, text)
    await first.close()
    at.advance(3_600_001)
    const second = open(at)
    expect(statSync(file()).size).toBeLessThan(10_000)
    const before = contents(second)
    expect(before[2].flat()).toHaveLength(3)
    const last = put(second, 'd').SequenceNumber
    await second.close()
    const third = open(at)
    expect(texts({ Records: contents(third)[2].flat() })).toEqual(['a', 'b', 'c', 'd'])
    expect(contents(third)[1]).toEqual(before[1])
    expect(put(third, 'e').SequenceNumber > last).toBe(true)
    await third.close()
  })

  test('that was killed has all that it had acknowledged', async () => {
    const program = fileURLToPath(new URL('./fixtures/put-until-killed.ts', import.meta.url))
    const args = ['--conditions=millrace-src', program, path]
    let acknowledged = 0
    for (let life = 0; life < 3; life++) {
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface({ input: child.stdout })
      const wanted = acknowledged + 200
      for await (const line of lines) {
        acknowledged = Math.max(acknowledged, Number(line) + 1)
        if (acknowledged >= wanted) child.kill('SIGKILL')
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    const found = new KinesisSimulator({ path, limits: 'off' })
    const [, , [records]] = contents(found)
    const values = texts({ Records: records }).map(Number)
    expect(values.length).toBeGreaterThanOrEqual(acknowledged)
    expect(values).toEqual(values.map((_, i) => i))
    await found.close()
    // The lock of a killed process stood in nobody's way, and a half written one does not either.
    appendFileSync(join(path, 'owner.json'), '{"ho')
    truncateSync(join(path, 'owner.json'), 3)
    await open().close()
  })
})
