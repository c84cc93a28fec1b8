// Importing any entry of the package opens no handle, no file and no thread.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly exports: Record<string, unknown>
}
const entries = Object.keys(manifest.exports)
  .filter((entry) => !entry.endsWith('.json'))
  .map((entry) => entry.replace(/^\./, 'millrace'))

const PROBE = `
import { readdirSync, readlinkSync } from 'node:fs'
const files = () => {
  try {
    return readdirSync('/proc/self/fd').map((fd) => {
      try { return readlinkSync('/proc/self/fd/' + fd) } catch { return '' }
    }).filter((name) => /^[/](?!dev[/]|proc[/])/.test(name))
  } catch { return [] }
}
// The standard streams are the process's own, opened by whoever first looks at them.
void [process.stdout.fd, process.stderr.fd, process.stdin.fd]
const before = { resources: process.getActiveResourcesInfo(), files: files() }
await import(process.argv[1])
const settled = () => new Promise((resolve) => setImmediate(resolve))
const gained = (now, then) => now.filter((name) => !then.includes(name))
const known = [...before.files, process.execPath]
let found
for (let turn = 0; turn < 1000; turn++) {
  await settled()
  const resources = gained(process.getActiveResourcesInfo(), before.resources)
  found = { resources, files: gained(files(), known) }
  if (resources.length + found.files.length === 0) break
}
console.log(JSON.stringify(found))
`

test.each(entries)('importing %s opens nothing', (entry) => {
  const args = ['--conditions=millrace-src', '--input-type=module', '-e', PROBE, entry]
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const child = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(child.stderr).toBe('')
  expect(JSON.parse(child.stdout)).toEqual({ resources: [], files: [] })
})
