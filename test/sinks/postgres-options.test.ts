// What the postgres sink refuses before it knows a server.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type PostgresOptions, postgres } from 'millrace/sinks/postgres'
import { describe, expect, test } from 'vitest'

const good = { table: 't', columns: ['a', 'b'] }

describe('options', () => {
  test.each<[string, object, RegExp]>([
    ['an empty table', { table: '' }, /Cannot use "" as name of a table/],
    ['a name of 64 bytes', { table: 'é'.repeat(32) }, /text of 1 to 63 bytes/],
    ['a name with a zero', { schema: 'a\0' }, /without a zero character/],
    ['no columns', { columns: [] }, /columns is empty/],
    ['columns that are a text', { columns: 'a' }, /it needs columns/],
    ['a column twice', { columns: ['a', 'a'] }, /"a" is listed twice/],
    ['a column of millrace', { columns: ['_millrace_row'] }, /begins with "_millrace_"/],
    ['a column that is no function', { columns: { a: 'a' } }, /must be a function/],
    ['another mode', { mode: 'merge' }, /its mode is "merge"; use 'insert' or 'upsert'/],
    ['a key to insert', { key: ['a'] }, /a key is for mode 'upsert' only/],
    ['no key to upsert', { mode: 'upsert' }, /needs a key/],
    ['a key that is no column', { mode: 'upsert', key: ['c'] }, /"c" is not in columns/],
    ['no connections', { connectionsMax: 0 }, /connectionsMax is 0/],
  ])('%s', (_what, options, message) => {
    const make = () => postgres({ ...good, ...options } as PostgresOptions<unknown>)
    expect(make).toThrow(message)
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

test('a client that is not installed is asked for by the start', () => {
  const program = `
    import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== 'pg') return next(specifier, context)
        throw Object.assign(new Error('no pg'), { code: 'ERR_MODULE_NOT_FOUND' })
      },
    })
    const { postgres } = await import('millrace/sinks/postgres')
    const context = { pipeline: 'p', outputId: 0, epoch: 1 }
    const error = await postgres({ table: 't', columns: ['a'] }).open(context).catch((e) => e)
    console.log(error.code, error.message)
  `
  const args = ['--conditions=millrace-src', '--input-type=module', '-e', program]
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  const { stdout } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' })
  expect(stdout).toMatch(/^CONFIG_INVALID .*run `npm install pg pg-copy-streams`/)
})
