// What the S3 store makes of the answers that it may get.

import { describe, expect, test } from 'vitest'
import { optionsOfUrl } from '../../src/checkpoint/s3-options.ts'
import { S3Store } from '../../src/checkpoint/s3-store.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { committedIds, openLog, runBatches, settle } from './logs.ts'
import { ScriptedS3 } from './scripted-s3.ts'
import { testStoreContract } from './store-contract.ts'

const SLOT = 'slots/0000000001.log'
const bytes = Buffer.from('bytes')

const makeTwo = (): { store: S3Store; other: S3Store } => {
  const client = new ScriptedS3()
  const make = (): S3Store => new S3Store({ bucket: 'bucket', prefix: 'a/b', client })
  return { store: make(), other: make() }
}

testStoreContract('S3Store', makeTwo, false)

interface Opened {
  readonly service: ScriptedS3
  readonly store: S3Store
  readonly clock: ManualClock
}

async function open(): Promise<Opened> {
  const service = new ScriptedS3()
  const clock = new ManualClock()
  const store = new S3Store({ bucket: 'bucket', client: service }, { clock, random: () => 0.5 })
  await store.open()
  service.asked.length = 0
  return { service, store, clock }
}

/** Lets time pass until `pending` has ended; gives what it took. */
async function passTime(clock: ManualClock, pending: Promise<unknown>): Promise<number> {
  let ended = false
  const end = (): void => {
    ended = true
  }
  pending.then(end, end)
  const from = clock.monotonicMs()
  await settle()
  while (!ended) {
    clock.advance(50)
    await settle()
  }
  return clock.monotonicMs() - from
}

const puts = ({ service }: Opened): number =>
  service.asked.filter((one) => one.startsWith('PutObject')).length

describe('a slot of an S3 store', () => {
  test('is won where the answer was lost and the next attempt finds its own nonce', async () => {
    for (const answer of ['none', 'reset', 503] as const) {
      const opened = await open()
      const { service, store, clock } = opened
      service.fail({ operation: 'PutObject', answer, done: true })
      const creating = store.createIfAbsent(SLOT, bytes)
      await passTime(clock, creating)
      expect(await creating).toBe(true)
      expect(store.retries).toBe(1)
      expect(puts(opened)).toBe(2)
    }
  })

  test('is lost where another one was faster, even after a lost answer', async () => {
    const { service, store, clock } = await open()
    service.fail({ operation: 'PutObject', answer: 'reset' })
    const creating = store.createIfAbsent(SLOT, bytes)
    const other = new S3Store({ bucket: 'bucket', client: service })
    await other.open()
    expect(await other.createIfAbsent(SLOT, bytes)).toBe(true)
    await passTime(clock, creating)
    expect(await creating).toBe(false)
  })

  test('is tried for again after a conflict, which says nothing about who won', async () => {
    const { service, store, clock } = await open()
    service.fail({ operation: 'PutObject', answer: 409, times: 2 })
    const creating = store.createIfAbsent(SLOT, bytes)
    await passTime(clock, creating)
    expect(await creating).toBe(true)
    expect(store.retries).toBe(2)
  })

  test('is given up within the lease of its owner', async () => {
    for (const answer of ['none', 503, 409] as const) {
      const { service, store, clock } = await open()
      service.fail({ operation: 'PutObject', answer, times: 1_000 })
      const creating = store.createIfAbsent(SLOT, bytes)
      const tookMs = await passTime(clock, creating)
      expect(tookMs).toBeLessThanOrEqual(10_000)
      expect(store.retries).toBeGreaterThan(1)
      const retryable = answer !== 409
      await expect(creating).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE', retryable })
    }
  })

  test('is not tried for again where the service refuses', async () => {
    const { service, store } = await open()
    service.fail({ operation: 'PutObject', answer: 403 })
    const creating = store.createIfAbsent(SLOT, bytes)
    await expect(creating).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
    await expect(creating).rejects.toThrow('s3:PutObject')
    expect(store.retries).toBe(0)
  })

  test('names credentials that have expired', async () => {
    const { service, store } = await open()
    service.fail({ operation: 'PutObject', answer: 403, name: 'ExpiredToken' })
    const creating = store.createIfAbsent(SLOT, bytes)
    await expect(creating).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
    await expect(creating).rejects.toThrow('renew them')
    expect(store.retries).toBe(0)
  })

  test('does not wait behind the upload of snapshots', async () => {
    const { service, clock } = await open()
    const store = new S3Store(
      { bucket: 'bucket', client: service, concurrentCallsMax: 1 },
      { clock },
    )
    await store.open()
    service.fail({ operation: 'PutObject', key: '.bin', answer: 'none' })
    const snapshot = store.createIfAbsent('epoch-1/snapshot-1.bin', bytes)
    const next = store.createIfAbsent('epoch-1/snapshot-2.bin', bytes)
    expect(await store.createIfAbsent(SLOT, bytes)).toBe(true)
    expect(service.objects.has('epoch-1/snapshot-2.bin')).toBe(false)
    await passTime(clock, Promise.all([snapshot, next]))
    expect(service.objects.has('epoch-1/snapshot-2.bin')).toBe(true)
  })
})

describe('an S3 store', () => {
  test('refuses a service that ignores conditions, and takes nothing there', async () => {
    const service = new ScriptedS3()
    service.honoursConditions = false
    const opening = openLog(new S3Store({ bucket: 'bucket', client: service }))
    await expect(opening).rejects.toMatchObject({ name: 'ConfigError', code: 'CHECKPOINT_UNSAFE' })
    await expect(opening).rejects.toThrow('8 of 8 writers')
    expect(service.objects.size).toBe(0)
  })

  test('lists more than one page, in order', async () => {
    const { service, store } = await open()
    service.pageSize = 2
    const names = ['slots/3', 'slots/1', 'slots/2', 'slots/5', 'slots/4']
    for (const name of names) await store.createIfAbsent(name, bytes)
    expect(await store.list('slots/')).toEqual([...names].sort())
  })

  test('reads again after an answer that did not come', async () => {
    const { service, store, clock } = await open()
    await store.createIfAbsent(SLOT, bytes)
    for (const operation of ['GetObject', 'HeadObject', 'ListObjectsV2'] as const) {
      service.fail({ operation, answer: 500 })
    }
    const reading = Promise.all([store.read(SLOT), store.exists(SLOT), store.list('')])
    await passTime(clock, reading)
    expect(await reading).toEqual([bytes, true, [SLOT]])
    expect(store.retries).toBe(3)
  })

  test('reads again soon where the answer does not begin', async () => {
    const { service, store, clock } = await open()
    await store.createIfAbsent(SLOT, bytes)
    service.fail({ operation: 'GetObject', answer: 'none' })
    const reading = store.read(SLOT)
    expect(await passTime(clock, reading)).toBeLessThan(4_000)
    expect(await reading).toEqual(bytes)
  })

  test('says which package is missing', async () => {
    const missing = Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
    const store = new S3Store({ bucket: 'bucket' }, { load: () => Promise.reject(missing) })
    const opening = store.open()
    await expect(opening).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(opening).rejects.toThrow('run `npm i @aws-sdk/client-s3`')
  })

  test('connects without open for a put, and not after its close', async () => {
    const service = new ScriptedS3()
    const living = new Set<object>()
    let made = 0
    class Client {
      readonly send = service.send.bind(service)
      constructor() {
        made += 1
        living.add(this)
      }
      destroy(): void {
        living.delete(this)
      }
    }
    const load = async () => ({ ...(await import('@aws-sdk/client-s3')), S3Client: Client })
    const store = new S3Store({ bucket: 'bucket' }, { load: load as never })
    await store.put('epoch-1/heartbeat', bytes)
    await store.close()
    const late = store.put('epoch-1/heartbeat', bytes)
    await expect(late).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
    await expect(late).rejects.toThrow(/its store was closed; open it again/)
    expect([made, living.size]).toEqual([1, 0])

    const closing = new S3Store({ bucket: 'bucket' }, { load: load as never })
    const early = closing.put('epoch-1/heartbeat', bytes)
    await closing.close()
    await expect(early).rejects.toThrow(/its store was closed/)
    expect([made, living.size]).toEqual([2, 0])

    await store.open()
    await store.put('epoch-1/heartbeat', bytes)
    await store.close()
    expect([made, living.size]).toEqual([3, 0])
  })

  test('is described by a URL', () => {
    expect(optionsOfUrl('s3://bucket/a/b/')).toEqual({ bucket: 'bucket', prefix: 'a/b/' })
    expect(optionsOfUrl('s3://bucket')).toEqual({ bucket: 'bucket', prefix: '' })
    expect(new S3Store(optionsOfUrl('s3://bucket/a/b/')).location).toBe('s3://bucket/a/b')
    expect(new S3Store(optionsOfUrl('s3://bucket')).location).toBe('s3://bucket')
    const endpoint = 'http://localhost:9000'
    const elsewhere = new S3Store({ bucket: 'bucket', endpoint })
    expect(elsewhere.location).toBe(`s3://bucket at ${endpoint}`)
  })

  test('refuses what is no bucket, no prefix or no URL', () => {
    for (const url of ['s3:bucket', 's3://', 's3:///a']) {
      expect(() => optionsOfUrl(url)).toThrow('s3://bucket/prefix')
    }
    const noCalls = { bucket: 'bucket', concurrentCallsMax: 0 }
    expect(() => new S3Store(noCalls)).toThrow('Cannot use 0 as concurrentCallsMax')
    expect(() => new S3Store({ bucket: 'No' })).toThrow('3 to 63 characters')
    expect(() => new S3Store({ bucket: 'bucket', prefix: 'a//b' })).toThrow('something between')
  })

  test('keeps a log, and a process that was taken over leaves no trace in it', async () => {
    const service = new ScriptedS3()
    const make = (): S3Store => new S3Store({ bucket: 'bucket', prefix: 'p', client: service })
    const first = await openLog(make())
    await runBatches(first.log, 1, 3)
    const second = await openLog(make())
    await expect(runBatches(first.log, 4, 4)).rejects.toMatchObject({ code: 'FENCED' })
    await runBatches(second.log, 4, 6)
    await second.log.close()
    const { recovered } = await openLog(make())
    expect(committedIds(recovered)).toEqual([1, 2, 3, 4, 5, 6])
    expect(recovered).toMatchObject({ epoch: 3, cutBytes: 0, warnings: [] })
  })
})

describe('a sign of life in an S3 store', () => {
  test('is tried again for 3 seconds at most: the next one is due', async () => {
    for (const answer of ['none', 'reset', 503] as const) {
      const { service, store, clock } = await open()
      service.fail({ operation: 'PutObject', answer, times: Number.POSITIVE_INFINITY })
      const sign = store.put('epoch-1/heartbeat', bytes)
      sign.catch(() => undefined)
      const tookMs = await passTime(clock, sign)
      expect(tookMs).toBeGreaterThan(1_000)
      expect(tookMs).toBeLessThanOrEqual(3_000)
      await expect(sign).rejects.toMatchObject({ code: 'CHECKPOINT_UNWRITABLE' })
    }
  })
})
