import { readFileSync } from 'node:fs'

/** Clock ticks of a second, as Linux counts them for all programs. */
const TICKS_A_SECOND = 100
/** Where user and system time stand in /proc/…/stat, after the name, which may hold blanks. */
const USER_FIELD = 11
const SYSTEM_FIELD = 12

/** Milliseconds of processor that a process has used, all threads together; undefined where the
 * system does not say. */
export function cpuMs(pid: number | undefined): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])
    return (ticks * 1e3) / TICKS_A_SECOND
  } catch {
    return undefined
  }
}
