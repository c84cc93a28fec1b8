// Tests that need something which is not there are left out, and the end of the run lists them with
// the command that brings it. Where MILLRACE_CI is set nothing is left out: it fails instead.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Names the folder to the processes in which the tests run. Tortures run without it. */
const FOLDER = 'MILLRACE_LEFT_OUT'

/** Puts `what` on the list of what this run left out. Throws instead where MILLRACE_CI is set. */
export function leaveOut(what: string, command: string): void {
  const line = `${what}: run \`${command}\``
  if (process.env['MILLRACE_CI'] !== undefined) throw new Error(`Cannot leave out ${line}`)
  // Named after what it says, so that two test files that leave out the same are listed once.
  const folder = process.env[FOLDER]
  if (folder === undefined) console.error(`Left out: ${line}`)
  else writeFileSync(join(folder, encodeURIComponent(what)), line)
}

/** Called by vitest once, before the first test file; what it returns, after the last. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-left-out-'))
  process.env[FOLDER] = folder
  return () => {
    const lines = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
    rmSync(folder, { recursive: true })
    console.log(lines.length === 0 ? 'Left out: nothing' : 'Left out:')
    for (const line of lines) console.log(`  ${line}`)
  }
}
