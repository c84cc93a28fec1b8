// A start that is told to stop, wherever it is: it gives up soon, closes what it had opened, and
// leaves the rest to the next one. And what others see of a start that takes long.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Pipeline, pipeline, type Sink, type StartOptions, start } from 'millrace'
import { FaultyStore, ManualClock, MemoryStore, quietLogger } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type PushOptions, PushSource } from '../scheduler/push-source.ts'

const STOPPED = { name: 'StreamingError', code: 'START_STOPPED', retryable: true }
const never = (): Promise<never> => new Promise(() => undefined)

/** A step of a start that the test waits for, and that ends when the test says. */
class Step {
  readonly #reached = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()

  readonly take = (): Promise<void> => {
    this.#reached.resolve()
    return this.#ended.promise
  }

  get reached(): Promise<void> {
    return this.#reached.promise
  }

  end(): void {
    this.#ended.resolve()
  }
}

/** A pipeline over several lives, with a sink that counts what is open. */
class World {
  readonly store = new MemoryStore()
  readonly source: PushSource
  readonly written: number[][] = []
  open = 0
  /** Called before a batch is written. */
  onWrite: () => Promise<void> = () => Promise.resolve()
  onBroadcast: () => Promise<void> = () => Promise.resolve()

  constructor(options: PushOptions = {}) {
    this.source = new PushSource(options)
  }

  get described(): Pipeline<undefined> {
    const sink: Sink<number> = {
      name: 'counted',
      guarantee: 'at-least-once',
      open: async () => {
        this.open += 1
        return {
          recover: async () => undefined,
          write: async (_batch, partitions) => {
            await this.onWrite()
            if (partitions.flat().length > 0) this.written.push(partitions.flat())
            return { records: 1, bytes: 1 }
          },
          close: async () => {
            this.open -= 1
          },
        }
      },
    }
    return pipeline('p', { batchInterval: 1_000, checkpoint: this.store }, (ssc) => {
      ssc.broadcast(this.onBroadcast)
      ssc.receive(this.source).writeTo(sink)
    })
  }

  start(options: StartOptions<undefined> = {}) {
    const clock = new ManualClock(0)
    return start(this.described, { clock, logger: quietLogger, ...options })
  }

  /** Leaves a batch that is planned, and not committed. */
  async leavePlanned(): Promise<void> {
    const clock = new ManualClock(0)
    this.onWrite = () => Promise.reject(new Error('not now'))
    const run = await this.start({ clock })
    this.source.push(this.written.length + 1)
    clock.advance(1_000)
    await run.done.catch(() => undefined)
    this.onWrite = () => Promise.resolve()
  }
}

describe('a start that is told to stop', () => {
  test('while a source does not answer its replay lets the next start redo the batch', async () => {
    const replay = new Step()
    const world = new World({ onReplay: replay.take })
    await world.leavePlanned()
    const stop = new AbortController()
    const starting = world.start({ signal: stop.signal })
    await replay.reached
    stop.abort()
    await expect(starting).rejects.toMatchObject(STOPPED)
    await expect(starting).rejects.toThrow('Cannot start pipeline "p": it was told to stop before')
    expect([world.open, world.source.stopped, world.written]).toEqual([0, 2, []])
    expect(world.source.context.signal.aborted).toBe(true)
    replay.end()
    const run = await world.start({ takeover: 'refuse' })
    expect(world.written).toEqual([[1]])
    await run.stop()
  })

  test('by a signal of the system gives up as well', async () => {
    const replay = new Step()
    const world = new World({ onReplay: replay.take })
    await world.leavePlanned()
    const starting = world.start({ stopOn: ['SIGUSR2'] })
    await replay.reached
    process.emit('SIGUSR2')
    await expect(starting).rejects.toMatchObject(STOPPED)
    expect(process.listenerCount('SIGUSR2')).toBe(0)
  })

  test('while a receiver does not start gives up, and stops it', async () => {
    const opening = new Step()
    const world = new World({ onStart: opening.take })
    const stop = new AbortController()
    const starting = world.start({ signal: stop.signal })
    await opening.reached
    stop.abort()
    await expect(starting).rejects.toMatchObject(STOPPED)
    expect([world.open, world.source.stopped]).toEqual([0, 1])
    opening.end()
    await (await world.start({ takeover: 'refuse' })).stop()
  })

  test('while a broadcast is loaded opens nothing', async () => {
    const loading = new Step()
    const world = new World()
    world.onBroadcast = loading.take
    const stop = new AbortController()
    const starting = world.start({ signal: stop.signal })
    await loading.reached
    stop.abort()
    await expect(starting).rejects.toMatchObject(STOPPED)
    expect(await world.store.list('')).toEqual([])
  })

  test('while a sink has a batch waits for the batch, and leaves those after it', async () => {
    const world = new World()
    await world.leavePlanned()
    const write = new Step()
    world.onWrite = write.take
    const stop = new AbortController()
    const ended = vi.fn()
    const starting = world.start({ signal: stop.signal })
    starting.catch(ended)
    await write.reached
    stop.abort()
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect(ended).not.toHaveBeenCalled()
    write.end()
    await expect(starting).rejects.toMatchObject(STOPPED)
    const run = await world.start({ takeover: 'refuse' })
    expect(world.written).toEqual([[1]])
    await run.stop()
  })

  test('while it reads the checkpoint lets it go', async () => {
    const world = new World()
    await (await world.start()).stop()
    const clock = new ManualClock(0)
    const store = new SlowStore(world.store, clock)
    const stop = new AbortController()
    const overrides = { checkpoint: store }
    const starting = world.start({ overrides, clock, signal: stop.signal })
    await store.reading
    stop.abort()
    clock.advance(READ_MS)
    await expect(starting).rejects.toMatchObject(STOPPED)
    await (await world.start({ takeover: 'refuse' })).stop()
  })

  test('while it waits for another owner names it', async () => {
    const world = new World()
    const owner = await world.start()
    const stop = new AbortController()
    const overrides = { checkpoint: new FaultyStore(world.store, []) }
    Object.assign(overrides.checkpoint, { location: 'memory:elsewhere' })
    const waiting = vi.fn()
    const logger = { ...quietLogger, warn: waiting }
    const starting = world.start({ overrides, logger, signal: stop.signal })
    await vi.waitFor(() => expect(waiting).toHaveBeenCalled())
    stop.abort()
    await expect(starting).rejects.toMatchObject({ code: 'CHECKPOINT_IN_USE' })
    await owner.stop()
  })

  test('and cannot stop a receiver says so', async () => {
    const opening = new Step()
    const stop = new AbortController()
    const world = new World({
      onStart: () => {
        void opening.take()
        return never()
      },
      onStop: () => Promise.reject(new Error('cannot stop')),
    })
    const warned: unknown[] = []
    const logger = { ...quietLogger, warn: (fields: object) => void warned.push(fields) }
    const starting = world.start({ logger, signal: stop.signal })
    await opening.reached
    stop.abort()
    await expect(starting).rejects.toMatchObject(STOPPED)
    expect(warned).toEqual([{ err: new Error('cannot stop') }])
  })
})

const READ_MS = 30_000

/** Its log is read slowly once a slot was won in it. */
class SlowStore extends FaultyStore {
  readonly #clock: ManualClock
  readonly #reading = Promise.withResolvers<void>()

  constructor(inner: MemoryStore, clock: ManualClock) {
    super(inner, [])
    this.#clock = clock
  }

  get reading(): Promise<void> {
    return this.#reading.promise
  }

  override async read(name: string): Promise<Uint8Array | undefined> {
    if (this.callsOf('createIfAbsent') > 0 && name.startsWith('slots/')) {
      this.#reading.resolve()
      await new Promise<void>((resolve) => this.#clock.after(READ_MS, resolve))
    }
    return super.read(name)
  }
}

test('a start gives signs of life while it reads the checkpoint', async () => {
  const world = new World()
  await (await world.start()).stop()
  const clock = new ManualClock(0)
  const store = new SlowStore(world.store, clock)
  const starting = world.start({ overrides: { checkpoint: store }, clock })
  await store.reading
  for (let at = 0; at < READ_MS - 1_000; at += 500) {
    clock.advance(500)
    await new Promise(setImmediate)
  }
  expect(await world.store.list('epoch-')).toEqual(['epoch-2/heartbeat'])
  expect(store.callsOf('put')).toBe(11)
  clock.advance(READ_MS)
  await (await starting).stop()
})

describe('with an I/O thread', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-stopped-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('a start whose replay does not end is given up, and its threads end', async () => {
    const module = new URL('./fixtures/stuck-replay.ts', import.meta.url)
    const options = { workers: 1, overrides: { checkpoint: folder }, logger: quietLogger }
    const first = await start(module, { ...options, args: { fails: true } })
    await expect(first.done).rejects.toThrow('the first run fails')
    const stop = new AbortController()
    const onEvent = ({ kind }: { readonly kind: string }): void => {
      if (kind === 'checkpoint-recovered') setImmediate(() => stop.abort())
    }
    const { signal } = stop
    const second = start(module, { ...options, args: { fails: false }, signal, onEvent })
    await expect(second).rejects.toMatchObject(STOPPED)
  })
})
