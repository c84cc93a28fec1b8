import { open } from 'node:fs/promises'

/** Writes a file whose content survives a power loss; its name does so once its folder is
 * synced. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(path, 'w')
  try {
    await handle.writeFile(content)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}
