// One simulator for a folder: a file names the process that has it. It stays behind when that
// process is killed, and then counts for nothing.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Owner } from '../../checkpoint/format.ts'
import { describeOwner, systemProbe } from '../../checkpoint/owner.ts'
import { ConfigError, codeOf } from '../../errors.ts'

/** Held from construction to `release()`. */
export class FolderLock {
  readonly #path: string

  constructor(folder: string) {
    this.#path = join(folder, 'owner.json')
    const probe = systemProbe()
    const text = JSON.stringify(probe.current)
    if (createFile(this.#path, text)) return
    const owner = readOwner(this.#path)
    if (owner !== undefined && probe.isAlive(owner) !== false) {
      throw new ConfigError(
        `Cannot open "${folder}": ${describeOwner(owner)} has it open. ` +
          'Close that simulator, or give another folder',
      )
    }
    writeFileSync(this.#path, text)
  }

  release(): void {
    rmSync(this.#path, { force: true })
  }
}

function createFile(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Who has the folder; undefined if its process was killed while it wrote that down. */
function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner
  } catch {
    return undefined
  }
}
