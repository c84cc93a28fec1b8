// A bucket in memory whose calls go wrong, or take their time, as a test says.

import type { Clock } from '../../src/clock.ts'
import { type ScriptedS3, s3Error } from '../checkpoint/scripted-s3.ts'

type Command = Parameters<ScriptedS3['send']>[0]

/** The part of an S3 client that a store uses. */
export interface Bucket {
  send(command: Command): Promise<unknown>
}

/** What becomes of a call. `done`: what was asked is done all the same. */
export type CallFate =
  | { readonly kind: 'goes on' }
  /** The service answers with an error. */
  | { readonly kind: 'refuses'; readonly status: number; readonly name: string }
  /** The connection breaks. */
  | { readonly kind: 'breaks'; readonly done: boolean }
  /** No answer ever comes. */
  | { readonly kind: 'is silent'; readonly done: boolean }
  /** It is done, and answered, so much later. */
  | { readonly kind: 'is late'; readonly ms: number }

/** Gives the bucket of which the n-th call, from 1, has the fate that `fateOf` says. */
export function faultyBucket(
  service: Bucket,
  clock: Clock,
  fateOf: (n: number) => CallFate,
): Bucket {
  let calls = 0
  return {
    async send(command) {
      calls += 1
      const fate = fateOf(calls)
      switch (fate.kind) {
        case 'goes on':
          return service.send(command)
        case 'refuses':
          throw s3Error(fate.status, fate.name)
        case 'breaks':
          if (fate.done) await service.send(command).catch(() => undefined)
          throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
        case 'is silent':
          if (fate.done) await service.send(command).catch(() => undefined)
          return new Promise(() => undefined)
        case 'is late':
          await new Promise<void>((resolve) => void clock.after(fate.ms, resolve))
          return service.send(command)
      }
    },
  }
}
