// The folder that the demo lives in. A marker file says that it is ours: without it nothing in the
// folder is touched, so that `--fresh --folder ~` cannot empty somebody's home.

import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from './options.ts'

const MARKER = 'millrace-demo.json'
const OWN_ENTRIES = ['sent', 'state', 'totals', 'window', 'kinesis', MARKER]

/** Where each part of the demo keeps its files. */
export interface DemoFolder {
  readonly root: string
  /** The Kinesis-compatible server's store. */
  readonly kinesis: string
  /** The producer's own record. */
  readonly sent: string
  /** The engine's checkpoint. */
  readonly state: string
  readonly window: string
  readonly totals: string
}

export function demoFolder(root: string): DemoFolder {
  return {
    root,
    kinesis: join(root, 'kinesis'),
    sent: join(root, 'sent', 'puts.jsonl'),
    state: join(root, 'state'),
    window: join(root, 'window'),
    totals: join(root, 'totals'),
  }
}

/** Refuses a folder that holds anything that is not the demo's. */
export async function claimFolder(folder: DemoFolder): Promise<void> {
  await mkdir(folder.root, { recursive: true })
  const ours = await exists(join(folder.root, MARKER))
  const entries = await readdir(folder.root)
  if (!ours && entries.length > 0) {
    throw new UsageError(
      `Cannot use folder "${folder.root}": it holds "${entries[0]}", and the demo did not make ` +
        `it; name an empty or a new folder with --folder`,
    )
  }
  await prepareFolder(folder)
}

/** Removes what earlier runs left. The caller has made sure that no demo runs on the folder. */
export async function emptyFolder(folder: DemoFolder): Promise<void> {
  for (const entry of OWN_ENTRIES) {
    await rm(join(folder.root, entry), { recursive: true, force: true })
  }
  await prepareFolder(folder)
}

async function prepareFolder(folder: DemoFolder): Promise<void> {
  const marker = join(folder.root, MARKER)
  if (!(await exists(marker))) {
    const made = { what: 'output of `npm run demo` of millrace', made: new Date().toISOString() }
    await writeFile(marker, `${JSON.stringify(made)}\n`)
  }
  await mkdir(join(folder.root, 'sent'), { recursive: true })
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
