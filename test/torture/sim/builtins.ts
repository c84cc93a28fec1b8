// What the engine has of Node beside its clock: files, names from chance, and turns of the event
// loop. While a process of a simulation runs they are the simulation's; for whoever else is in this
// thread they are what they were.

import { createRequire, syncBuiltinESMExports } from 'node:module'
import { type DiskCalls, simPath } from './disk-calls.ts'
import type { World } from './world.ts'

type Call = (...args: never[]) => unknown
type Calls = Record<string, Call>

const require = createRequire(import.meta.url)
const files = require('node:fs/promises') as Calls
const timers = require('node:timers/promises') as Calls
const chance = require('node:crypto') as Calls

const SIMULATED = [
  ...['access', 'readFile', 'writeFile', 'readdir', 'mkdir', 'link', 'rename', 'rmdir', 'rm'],
  'open',
] as const
/** Calls that take a path; one that is not simulated is refused. */
const DISK_CALLS = Object.keys(files).filter((name) => typeof files[name] === 'function')

/** Puts the simulation in the place of what Node has; gives what puts it back. */
export function replaceBuiltins(world: World, disk: DiskCalls): () => void {
  const changed = [
    { module: files, names: DISK_CALLS },
    { module: timers, names: ['setImmediate'] },
    { module: chance, names: ['randomUUID'] },
  ].map(({ module, names }) => {
    return { module, calls: names.map((name) => [name, module[name] as Call] as const) }
  })
  for (const name of DISK_CALLS) {
    const call = files[name] as Call
    const simulated = simulationOf(name, disk)
    files[name] = (...args: never[]) => {
      const paths: readonly unknown[] = args
      const path = simPath(paths[0])
      if (path === undefined) return call(...args)
      return simulated(path, simPath(paths[1]) ?? paths[1])
    }
  }
  const { setImmediate: nextTurn } = timers
  timers['setImmediate'] = (...args: never[]) => {
    const [value, options] = args as readonly unknown[] as [
      unknown,
      { readonly signal?: AbortSignal } | undefined,
    ]
    return world.current === undefined ? nextTurn?.(...args) : turn(world, value, options?.signal)
  }
  const { randomUUID } = chance
  chance['randomUUID'] = () => (world.current === undefined ? randomUUID?.() : uuid(world))
  syncBuiltinESMExports()
  return () => {
    for (const { module, calls } of changed) {
      for (const [name, call] of calls) module[name] = call
    }
    syncBuiltinESMExports()
  }
}

function simulationOf(name: string, disk: DiskCalls): (...args: unknown[]) => unknown {
  const known = SIMULATED.find((one) => one === name)
  if (known !== undefined) return disk[known].bind(disk) as (...args: unknown[]) => unknown
  return () => {
    throw new Error(`The simulated disk has no ${name}: add it in test/torture/sim/`)
  }
}

function turn(world: World, value: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  const { current } = world
  return new Promise((resolve, reject) => {
    const go = () => (signal?.aborted === true ? reject(signal.reason as Error) : resolve(value))
    world.after(0, go, current)
  })
}

function uuid(world: World): string {
  const digits = (n: number) =>
    Array.from({ length: n }, () => world.pick(16).toString(16)).join('')
  return [8, 4, 4, 4, 12].map(digits).join('-')
}
