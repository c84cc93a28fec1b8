// What a start of the files sink says where the folder cannot be used: whose mistake it is.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { files } from 'millrace/sinks'
import { quietLogger } from 'millrace/testing'
import { expect, test, vi } from 'vitest'

const refusal = vi.hoisted(() => ({ code: '' }))

vi.mock('node:fs/promises', async (load) => ({
  ...(await load<typeof import('node:fs/promises')>()),
  readdir: () => Promise.reject(Object.assign(new Error(`${refusal.code}: no`), refusal)),
}))

/** How the sink refuses to open where the file system does. */
async function refusalFor(code: string): Promise<unknown> {
  refusal.code = code
  const root = await mkdtemp(join(tmpdir(), 'millrace-refused-'))
  const context = { pipeline: 'p', outputId: 0, epoch: 1, logger: quietLogger, retried: () => {} }
  try {
    return await files(join(root, 'out'))
      .open(context)
      .catch((error: unknown) => error)
  } finally {
    await rm(root, { recursive: true })
  }
}

test.each(['EACCES', 'ENOTDIR', 'EROFS'])('%s is a mistake in the call', async (code) => {
  expect(await refusalFor(code)).toMatchObject({ code: 'CONFIG_INVALID', retryable: false })
})

test.each([
  ['ENOSPC', 'free space'],
  ['EDQUOT', 'free space'],
  ['EIO', 'check the disk'],
  ['EMFILE', 'check the disk'],
])('%s is of the disk, and the start may succeed later', async (code, advice) => {
  expect(await refusalFor(code)).toMatchObject({
    code: 'SINK_FAILED',
    retryable: true,
    message: expect.stringContaining(advice),
    cause: { code },
  })
})
