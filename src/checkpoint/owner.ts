// Who holds a checkpoint, and whether that process still lives. A wrong answer here costs a wait or
// a fenced process, never a record: the log's safety rests on slots alone.

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { codeOf } from '../errors.ts'
import type { Owner } from './format.ts'

/** Tells who this process is and whether another one lives. */
export interface OwnerProbe {
  /** This process. */
  readonly current: Owner
  /** Tells whether the process of `owner` lives; undefined where it cannot be told (another
   * host, or another container: pids are those of a PID namespace). */
  isAlive(owner: Owner): boolean | undefined
}

/** Gives the probe of this machine: /proc where there is one, signal 0 elsewhere. */
export function systemProbe(): OwnerProbe {
  const current: Owner = {
    host: hostname(),
    bootId: readText('/proc/sys/kernel/random/boot_id')?.trim(),
    pid: process.pid,
    pidStartTime: processStat(process.pid)?.startTime,
    pidNamespace: pidNamespace(),
  }
  return { current, isAlive: (owner) => isAlive(owner, current) }
}

/** Names a process for messages. */
export function describeOwner(owner: Owner): string {
  return `process ${owner.pid} on host "${owner.host}"`
}

function isAlive(owner: Owner, self: Owner): boolean | undefined {
  const isVisible =
    owner.host === self.host &&
    owner.bootId === self.bootId &&
    owner.pidNamespace === self.pidNamespace
  if (!isVisible) return undefined
  if (!answersSignal(owner.pid)) return false
  const stat = processStat(owner.pid)
  if (stat === undefined || owner.pidStartTime === undefined) return true
  return !stat.dead && stat.startTime === owner.pidStartTime
}

function answersSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Reads state and start time (fields 3 and 22) of a process. A zombie has died: it only awaits
 * its parent. */
function processStat(pid: number): { dead: boolean; startTime: string | undefined } | undefined {
  const text = readText(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { dead: fields[0] === 'Z' || fields[0] === 'X', startTime: fields[19] }
}

function pidNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return undefined
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
