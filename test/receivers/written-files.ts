// Files written as a producer should: elsewhere, and renamed when they are complete.

import { mkdir, rename, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Puts a file into `folder` whole, last modified at `mtimeMs`. */
export async function put(
  folder: string,
  name: string,
  content: string | Uint8Array,
  mtimeMs: number,
): Promise<void> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  const unfinished = join(dirname(path), '.unfinished')
  await writeFile(unfinished, content)
  // Half a millisecond more: seconds as a fraction may come out a little less.
  const seconds = (mtimeMs + 0.5) / 1_000
  await utimes(unfinished, seconds, seconds)
  await rename(unfinished, path)
}
