import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { quantile } from '../harness.ts'

const BYTES = 4_096
const SYNCS = 300

/** The time in which 99 of 100 small appends to a file of this folder become durable, milliseconds.
 * */
export function fsyncP99Ms(folder: string): number {
  const path = join(folder, 'fsync-probe')
  const file = openSync(path, 'a')
  const bytes = Buffer.alloc(BYTES)
  const times = Array.from({ length: SYNCS }, () => {
    const startedAt = performance.now()
    writeSync(file, bytes)
    fdatasyncSync(file)
    return performance.now() - startedAt
  })
  closeSync(file)
  rmSync(path)
  return quantile(times, 0.99)
}
