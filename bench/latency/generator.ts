// Sends lines to whoever connects, at a rate, in a process of its own. Each line begins with the
// time at which it was to be sent; one that is sent late still says when it was due, so that a
// pause of anybody shows in the latency of all lines that were due in it.

import { createServer, type Socket } from 'node:net'
import { sharedMicroseconds } from './intended-time.ts'

/** What the parent says: begin, so many lines in a second, for so long. */
export interface Schedule {
  readonly rate: number
  readonly seconds: number
}

/** What the generator says. */
export type FromGenerator =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'connected' }
  /** How late lines were written, at worst in 99 of 100. */
  | { readonly kind: 'sent'; readonly lines: number; readonly lateP99Ms: number }

const LINE_BYTES = 100
const TICK_MS = 1
const MICROSECONDS = 1e6

let socket: Socket | undefined

const server = createServer((connection) => {
  socket = connection.setNoDelay(true)
  connection.on('error', () => undefined)
  say({ kind: 'connected' })
})

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') {
    say({ kind: 'listening', port: address.port })
  }
})

process.once('disconnect', () => process.exit())
process.on('message', (schedule: Schedule) => send(schedule))

function send({ rate, seconds }: Schedule): void {
  const begunAt = sharedMicroseconds()
  const lines = rate * seconds
  const lateMs: number[] = []
  let sent = 0
  const timer = setInterval(() => {
    const now = sharedMicroseconds()
    let text = ''
    for (; sent < lines; sent++) {
      const due = begunAt + Math.floor((sent * MICROSECONDS) / rate)
      if (due > now) break
      text += `${due},`.padEnd(LINE_BYTES - 1, 'x')
      text += '\n'
      lateMs.push((now - due) / 1e3)
    }
    if (text !== '') socket?.write(text)
    if (sent < lines) return
    clearInterval(timer)
    lateMs.sort((a, b) => a - b)
    const lateP99Ms = lateMs[Math.floor(lateMs.length * 0.99)] ?? Number.NaN
    say({ kind: 'sent', lines, lateP99Ms })
  }, TICK_MS)
}

function say(message: FromGenerator): void {
  process.send?.(message)
}
