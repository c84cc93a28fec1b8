// Importing any entry of the package opens no handle, no file and no thread, and prints nothing:
// neither from the sources, as the tests load it, nor from dist/, as its users do.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requireBuilt } from './built.ts'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly exports: Record<string, unknown>
}
const entries = Object.keys(manifest.exports)
  .filter((entry) => !entry.endsWith('.json'))
  .map((entry) => entry.replace(/^\./, 'millrace'))

// Each handle, request, timer and thread starts with an async resource, whether or not it is
// unref'd or over by the time one looks; only a file opened synchronously has none. What the
// module loader does of its own leaves no frame of a file in the stack, and shows as promises.
// The one known read: msgpackr's native part asks detect-libc which C library this machine has.
const PROBE = `
import { createHook } from 'node:async_hooks'
import { readdirSync, readlinkSync } from 'node:fs'
const files = () => {
  try {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try { return [readlinkSync('/proc/self/fd/' + fd)] } catch { return [] }
    }).filter((name) => /^[/](?!dev[/]|proc[/])/.test(name))
  } catch { return [] }
}
// The standard streams are the process's own, opened by whoever first looks at them.
void [process.stdout, process.stderr, process.stdin]
const known = [...files(), process.execPath]
const opened = []
const hook = createHook({
  init(_, type) {
    if (type === 'PROMISE' || type === 'TickObject') return
    if (type === 'FSREQCALLBACK' && /detect-libc/.test(new Error().stack)) return
    opened.push(type)
  },
})
hook.enable()
await import(process.argv[1])
hook.disable()
opened.push(...files().filter((name) => !known.includes(name)))
process.stdout.write(JSON.stringify(opened))
process.exit()
`

// A write to a file, a child process or a thread is refused outright. Native addons are loaded, as
// they would be outside.
const LOCKED = ['--permission', '--allow-fs-read=*', '--allow-addons']
const QUIET_ABOUT_LOCKS = '--disable-warning=SecurityWarning'

function openedBy(specifier: string, ...flags: string[]): { opened: unknown; stderr: string } {
  const lock = [...LOCKED, QUIET_ABOUT_LOCKS]
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...lock, ...flags, '--input-type=module', '-e', PROBE, specifier],
    { cwd: ROOT, env, encoding: 'utf8', timeout: 15_000 },
  )
  return { opened: stdout === '' ? undefined : JSON.parse(stdout), stderr }
}

const nothing = { opened: [], stderr: '' }

test.each(entries)('importing %s from its sources opens nothing', (entry) => {
  expect(openedBy(entry, '--conditions=millrace-src')).toEqual(nothing)
})

describe.skipIf(!requireBuilt())('built', () => {
  test.each(entries)('importing %s as it is published opens nothing', (entry) => {
    expect(openedBy(entry)).toEqual(nothing)
  })
})

describe('the probe', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-loud-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const loud: [what: string, code: string][] = [
    ['a timer', 'setInterval(() => {}, 1000)'],
    ["a timer that is unref'd", 'setInterval(() => {}, 1000).unref()'],
    ['a server', "import { createServer } from 'node:net'\ncreateServer().listen(0)"],
    ['a file', "import { openSync } from 'node:fs'\nopenSync(import.meta.filename)"],
    ['a write', "import { writeFileSync } from 'node:fs'\nwriteFileSync('a', '')"],
    ['a thread', "import { Worker } from 'node:worker_threads'\nnew Worker('', { eval: true })"],
    ['a process', "import { spawn } from 'node:child_process'\nspawn('true')"],
    ['a warning', "console.warn('hello')"],
    ['a failure', "throw new Error('no')"],
  ]
  test.each(loud)('sees %s', (what, code) => {
    const path = join(folder, `${what.replace(/\W/g, '-')}.mjs`)
    writeFileSync(path, code)
    expect(openedBy(pathToFileURL(path).href)).not.toEqual(nothing)
  })

  test('sees nothing where nothing is', () => {
    const path = join(folder, 'quiet.mjs')
    writeFileSync(path, "import 'node:fs'\nexport const answer = 42")
    expect(openedBy(pathToFileURL(path).href)).toEqual(nothing)
  })
})
