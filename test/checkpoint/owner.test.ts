import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { systemProbe } from '../../src/checkpoint/owner.ts'

describe('systemProbe', () => {
  test('knows that this process lives, and that one with another start time does not', () => {
    const { current, isAlive } = systemProbe()
    expect(current.pid).toBe(process.pid)
    expect(isAlive(current)).toBe(true)
    if (current.pidStartTime === undefined) return
    expect(isAlive({ ...current, pidStartTime: '1' })).toBe(false)
  })

  test('knows that a process has died', async () => {
    const { current, isAlive } = systemProbe()
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    expect(isAlive({ ...current, pid: child.pid ?? 0, pidStartTime: undefined })).toBe(false)
  })

  test('cannot tell of another host, of another boot, or of another container', () => {
    const { current, isAlive } = systemProbe()
    expect(isAlive({ ...current, host: 'elsewhere' })).toBeUndefined()
    expect(isAlive({ ...current, bootId: 'before' })).toBeUndefined()
    expect(isAlive({ ...current, pidNamespace: 'pid:[1]', pidStartTime: '1' })).toBeUndefined()
  })
})
