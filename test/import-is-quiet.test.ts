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
    }).filter((name) => name.startsWith('/') && !name.startsWith('/dev/') && !name.startsWith('/proc/'))
  } catch { return [] }
}
const before = { resources: process.getActiveResourcesInfo().length, files: files().length }
await import(process.argv[1])
const settled = () => new Promise((resolve) => setImmediate(resolve))
await settled()
await settled()
const resources = process.getActiveResourcesInfo().length - before.resources
console.log(JSON.stringify({ resources, files: files().length - before.files }))
`

test.each(entries)('importing %s opens nothing', (entry) => {
  const args = ['--conditions=millrace-src', '--input-type=module', '-e', PROBE, entry]
  const child = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 20_000 })
  expect(child.stderr).toBe('')
  expect(JSON.parse(child.stdout)).toEqual({ resources: 0, files: 0 })
})
