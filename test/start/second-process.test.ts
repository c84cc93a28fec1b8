// A checkpoint has one owner: who takes it over fences the one before.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

interface Message {
  readonly batchId?: number
  readonly code?: string
  readonly message?: string
  readonly ended?: boolean
}

let folder: string
let children: ChildProcess[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-second-'))
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

function runWriter(takeover: string): ChildProcess {
  const script = fileURLToPath(new URL('./fixtures/run-writer.ts', import.meta.url))
  const execArgv = ['--conditions=millrace-src']
  const child = fork(script, [folder, takeover], { execArgv })
  children.push(child)
  return child
}

async function nextMessage(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, 'message')) as [Message]
  return message
}

test('a second process that takes the folder over fences the first', async () => {
  const first = runWriter('wait')
  expect(await nextMessage(first)).toHaveProperty('batchId')
  const fenced = new Promise<Message>((resolve) => {
    first.on('message', (message: Message) => {
      if (message.code !== undefined) resolve(message)
    })
  })
  const second = runWriter('force')
  expect(await nextMessage(second)).toHaveProperty('batchId')
  const { code, message } = await fenced
  expect(code).toBe('FENCED')
  expect(message).toContain(`process ${second.pid}`)
  second.send('stop')
  let last: Message = {}
  while (last.ended === undefined) last = await nextMessage(second)
})

test('a process that was killed is taken over at once', async () => {
  const first = runWriter('wait')
  const before = await nextMessage(first)
  first.kill('SIGKILL')
  await once(first, 'exit')
  const second = runWriter('wait')
  const after = await nextMessage(second)
  expect(after.batchId).toBeGreaterThan(before.batchId ?? 0)
})
