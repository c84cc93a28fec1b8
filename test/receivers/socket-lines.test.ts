// Lines of a real socket. What needs time waits for a clock that the test moves.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type SocketLinesOptions, socketLines } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OpenedSource } from './opened-source.ts'

const PATIENCE = { timeout: 10_000 }
let clock: ManualClock
let servers: Server[]

beforeEach(() => {
  clock = new ManualClock(1_000)
  servers = []
})
afterEach(async () => {
  await OpenedSource.stopAll()
  for (const server of servers) server.close()
})

/** A server, and the connections that it gets, one after the other. */
async function listen(port = 0) {
  const server = createServer()
  servers.push(server)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const connections = async (): Promise<Socket> => {
    const [socket] = (await once(server, 'connection')) as [Socket]
    return socket.on('error', () => undefined)
  }
  return { port: (server.address() as AddressInfo).port, connection: connections }
}

const open = (
  port: number,
  options: Partial<SocketLinesOptions> & { bufferBytesMax?: number } = {},
) => {
  const { bufferBytesMax = 1_048_576, ...others } = options
  const source = socketLines({ host: '127.0.0.1', port, ...others })
  return OpenedSource.start(source, { clock, bufferBytesMax })
}

/** Cuts until there are `count` lines. */
async function lines(source: OpenedSource, count: number): Promise<unknown[]> {
  const read: unknown[] = []
  await expect
    .poll(async () => {
      read.push(...(await source.records()))
      return read.length
    }, PATIENCE)
    .toBeGreaterThanOrEqual(count)
  return read
}

const kinds = (source: OpenedSource): string[] => source.news.map(({ kind }) => kind)

describe('lines', () => {
  test('come in their order, wherever the bytes were cut on the way', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port)
    const socket = await connected
    const bytes = Buffer.from('one\r\ntwo\n\ngrün 😀\nlast\n')
    for (const byte of bytes) {
      socket.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await lines(source, 5)).toEqual(['one', 'two', '', 'grün 😀', 'last'])
  })

  test('end with the connection, the last one too', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port)
    const socket = await connected
    socket.end('one\ntwo')
    expect(await lines(source, 2)).toEqual(['one', 'two'])
    await expect
      .poll(() => kinds(source), PATIENCE)
      .toEqual(['receiver-restarted', 'receiver-stopped'])
  })

  test('that are too long end the pipeline with an error that says what to do', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port, { lineBytesMax: 5 })
    const socket = await connected
    socket.write('short\nlonger\n')
    await expect.poll(() => source.failures, PATIENCE).toHaveLength(1)
    expect(source.failures).toMatchObject([{ code: 'RECORD_INVALID' }])
    expect(String(source.failures[0])).toMatch(
      /lineBytesMax \(5 bytes\); raise it, or set onLongLine/,
    )
  })

  test('that are too long are dropped and counted where that is asked for', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port, { lineBytesMax: 5, onLongLine: 'drop' })
    const socket = await connected
    socket.write(`a\n${'x'.repeat(300_000)}\nb\nlonger\nc\n`)
    expect(await lines(source, 3)).toEqual(['a', 'b', 'c'])
    expect(source.counts.get('lines-dropped')).toBe(2)
  })
})

describe('a connection', () => {
  test('is made again after a delay, however often it fails, and each time is told', async () => {
    const server = await listen()
    let connected = server.connection()
    const source = await open(server.port, { restartDelay: '1s' })
    for (let i = 1; i <= 3; i++) {
      const socket = await connected
      connected = server.connection()
      socket.resetAndDestroy()
      await expect.poll(() => source.counts.get('receiver-restarts'), PATIENCE).toBe(i)
      await expect.poll(() => kinds(source).at(-1), PATIENCE).toBe('receiver-stopped')
      clock.advance(1_000)
    }
    const socket = await connected
    socket.write('at last\n')
    expect(await lines(source, 1)).toEqual(['at last'])
    const life = ['receiver-restarted', 'receiver-stopped', 'receiver-started']
    expect(kinds(source)).toEqual([...life, ...life, ...life])
  })

  test('that is refused says so', async () => {
    const { port } = await listen()
    servers.pop()?.close()
    const source = await open(port)
    await expect.poll(() => kinds(source), PATIENCE).toContain('receiver-stopped')
    expect(source.news[0]).toMatchObject({
      kind: 'receiver-restarted',
      message: expect.stringMatching(/^the connection to 127\.0\.0\.1:\d+ failed: .*ECONNREFUSED/),
      delayMs: 2_000,
    })
  })

  test('that breaks loses the line that had no end, which is counted', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port)
    const socket = await connected
    socket.write('whole\nhal')
    expect(await lines(source, 1)).toEqual(['whole'])
    socket.resetAndDestroy()
    await expect.poll(() => source.counts.get('partial-lines-dropped'), PATIENCE).toBe(1)
    const again = server.connection()
    await expect.poll(() => kinds(source), PATIENCE).toContain('receiver-stopped')
    clock.advance(2_000)
    const second = await again
    second.write('f\n')
    expect(await lines(source, 1)).toEqual(['f'])
  })

  test('is not read while the buffer is full, and loses nothing', async () => {
    const server = await listen()
    const connected = server.connection()
    const bufferBytesMax = 100_000
    const source = await open(server.port, { bufferBytesMax })
    const socket = await connected
    const written = Array.from({ length: 100_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 50)}`)
    socket.write(`${written.join('\n')}\n`)
    await expect
      .poll(() => source.receiver.bufferedBytes(), PATIENCE)
      .toBeGreaterThan(bufferBytesMax)
    const read: unknown[] = []
    while (read.length < written.length) {
      expect(source.receiver.bufferedBytes()).toBeLessThan(4 * bufferBytesMax)
      read.push(...(await source.records({ recordsMax: 5_000 })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(read).toEqual(written)
  })

  test('is given up where no answer comes', async () => {
    const { port } = await listen()
    servers.pop()?.close()
    const source = await open(port, { connectTimeout: '5s' })
    clock.advance(5_000)
    await expect
      .poll(() => source.news[0], PATIENCE)
      .toMatchObject({ message: expect.stringMatching(/no answer .* within 5000 ms/) })
  })

  test('ends with the receiver, and what was received stays', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port)
    const socket = await connected
    socket.write('one\ntwo\nhal')
    await expect.poll(() => source.receiver.bufferedBytes(), PATIENCE).toBeGreaterThan(0)
    const closed = once(socket, 'close')
    await source.receiver.stop()
    await closed
    expect(await source.records()).toEqual(['one', 'two'])
    expect(source.news).toEqual([])
  })
})

describe('the rate', () => {
  test('slows the socket down', async () => {
    const server = await listen()
    const connected = server.connection()
    const source = await open(server.port)
    source.receiver.setRate?.(100)
    const socket = await connected
    socket.write('x\n'.repeat(1_000))
    await expect.poll(() => source.receiver.bufferedBytes(), PATIENCE).toBeGreaterThan(0)
    expect(await source.records()).toHaveLength(1)
    clock.advance(1_000)
    expect(await source.records()).toHaveLength(100)
    clock.advance(500)
    expect(await source.records()).toHaveLength(50)
  })
})

describe('options that cannot work are refused where they are written', () => {
  test.each<[options: Partial<SocketLinesOptions>, message: RegExp]>([
    [{ host: '' }, /give its name/],
    [{ port: 0 }, /port/],
    [{ port: 65_536 }, /port/],
    [{ lineBytesMax: 0 }, /lineBytesMax/],
    [{ connectTimeout: 0 }, /connectTimeout/],
    [{ rateMax: 0 }, /rateMax/],
    [{ onLongLine: 'cut' as 'drop' }, /'stop' or 'drop'/],
  ])('%o', (options, message) => {
    expect(() => socketLines({ host: 'localhost', port: 9_999, ...options })).toThrow(message)
  })
})
