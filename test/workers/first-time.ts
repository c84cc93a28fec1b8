import { writeFileSync } from 'node:fs'

/** True the first time that it is asked with this file, in whatever thread. */
export function isFirst(file: string): boolean {
  try {
    writeFileSync(file, '', { flag: 'wx' })
    return true
  } catch {
    return false
  }
}
