// Files and folders that survive a power loss.

import { access, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from './errors.ts'

/** Makes a folder and those above it. Each name is durable before anything is made below it; that
 * of a folder which is there is made so too: whoever made it may have died before. */
export async function makeFolder(path: string): Promise<void> {
  const isThere = await access(path).then(() => true, isForeign)
  const above = dirname(path)
  if (!isThere && above !== path) await makeFolder(above)
  await mkdir(path, { recursive: true })
  try {
    await syncFolder(above)
  } catch (error) {
    if (!isThere || !isForeign(error)) throw error
  }
}

/** What one may not even read, somebody else has made. Of what fails otherwise nothing is known. */
function isForeign(error: unknown): boolean {
  return codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM'
}

/** Writes a file whose content survives a power loss; its name does so once its folder is synced.
 * `flags` as those of `open`: 'w' replaces what is there, 'wx' refuses to. */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  flags: 'w' | 'wx',
): Promise<void> {
  const handle = await open(path, flags)
  try {
    await handle.writeFile(content)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and keeps names durable without it.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
