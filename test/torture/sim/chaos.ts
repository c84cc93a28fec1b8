// What goes wrong, and when: one trouble after the other, from the seed.

import { type ErrorCode, StreamingError } from '../../../src/errors.ts'
import { s3Error } from '../../checkpoint/scripted-s3.ts'
import { diskError } from './disk.ts'
import type { ArmedFault, Faults, Place } from './faults.ts'
import type { Fleet } from './fleet.ts'
import type { World } from './world.ts'

/** Troubles come at most so far apart. */
const APART_MS = 1_600

const DISK_CALLS = [
  'open',
  'writeFile',
  'appendFile',
  'sync',
  'datasync',
  'link',
  'rename',
] as const
const OTHER_DISK_CALLS = ['mkdir', 'rm', 'readdir', 'readFile', 'access'] as const
const S3_CALLS = ['PutObject', 'PutObject', 'PutObject', 'GetObject', 'HeadObject'] as const
const OTHER_S3_CALLS = ['ListObjectsV2', 'DeleteObject'] as const
const SINK_CALLS = ['open', 'prepare', 'write', 'write', 'commit', 'commit'] as const
const POINTS = ['planned', 'ran', 'staged', 'sinks', 'committed'] as const

type Trouble = () => void

/** Makes trouble for a fleet. */
export class Chaos {
  readonly #world: World
  readonly #faults: Faults
  readonly #troubles: readonly (readonly [number, Trouble])[]
  #ended = false

  constructor(world: World, faults: Faults, fleet: Fleet) {
    this.#world = world
    this.#faults = faults
    const inBucket = fleet.kind === 's3'
    this.#troubles = [
      [5, () => this.#arm('disk', this.#diskCall(), this.#refusal())],
      [
        2,
        () => this.#arm('disk', this.#diskCall(), { kind: 'slow', ms: world.between(500, 9_000) }),
      ],
      [4, () => this.#arm('disk', this.#diskCall(), this.#death())],
      [inBucket ? 9 : 0, () => this.#arm('network', this.#s3Call(), this.#badAnswer())],
      [inBucket ? 3 : 0, () => this.#arm('network', this.#s3Call(), this.#lateAnswer())],
      [inBucket ? 3 : 0, () => this.#arm('network', this.#s3Call(), this.#death())],
      [fleet.hasTables ? 3 : 0, () => this.#arm('sink', world.oneOf(SINK_CALLS), this.#failure())],
      [
        fleet.hasTables ? 3 : 0,
        () => this.#arm('sink', world.oneOf(SINK_CALLS), this.#lateAnswer()),
      ],
      [fleet.hasTables ? 3 : 0, () => this.#arm('sink', world.oneOf(SINK_CALLS), this.#death())],
      [1, () => this.#arm('source', undefined, this.#failure('SOURCE_UNREACHABLE'))],
      [1, () => this.#arm('source', undefined, this.#lateAnswer())],
      [1, () => this.#arm('source', undefined, this.#death())],
      [5, () => this.#arm('life', world.oneOf(POINTS), { kind: 'dies', done: true })],
      [3, () => fleet.killOne()],
      [2, () => fleet.holdOne(world.between(100, 3_000))],
      [3, () => fleet.supersedeOne()],
      [inBucket ? 1 : 4, () => fleet.losePower()],
      [1, () => fleet.startMore(1)],
      [1, () => fleet.startMore(2)],
      [inBucket || fleet.hasTables ? 2 : 0, () => fleet.cutOffOne(world.between(500, 12_000))],
      [1, () => fleet.setClockOfOne(world.between(-20_000, 4_000))],
    ]
  }

  /** Begins. */
  begin(): void {
    this.#world.after(this.#world.pick(APART_MS), () => {
      if (this.#ended) return
      this.#trouble()
      this.begin()
    })
  }

  /** Makes no trouble any more. */
  end(): void {
    this.#ended = true
    this.#faults.disarm()
  }

  #trouble(): void {
    const all = this.#troubles.reduce((n, [weight]) => n + weight, 0)
    let at = this.#world.pick(all)
    for (const [weight, trouble] of this.#troubles) {
      at -= weight
      if (at >= 0) continue
      trouble()
      return
    }
  }

  #arm(place: Place, call: string | undefined, fate: ArmedFault['fate']): void {
    const passing = this.#world.pick(4) * this.#world.pick(3)
    this.#faults.arm({ place, passing, fate, ...(call === undefined ? {} : { call }) })
  }

  #diskCall(): string {
    return this.#world.oneOf(this.#world.chance(4, 5) ? DISK_CALLS : OTHER_DISK_CALLS)
  }

  #s3Call(): string {
    return this.#world.oneOf(this.#world.chance(4, 5) ? S3_CALLS : OTHER_S3_CALLS)
  }

  #refusal(): ArmedFault['fate'] {
    const code = this.#world.oneOf(['EIO', 'EIO', 'ENOSPC', 'EMFILE'])
    const share = this.#world.pick(1_000) / 1_000
    const torn = this.#world.chance(1, 2) ? { share } : {}
    return { kind: 'fails', error: diskError(code, 'injected'), done: false, ...torn }
  }

  #badAnswer(): ArmedFault['fate'] {
    const done = this.#world.chance(1, 2)
    const answer = this.#world.oneOf([409, 500, 503, 503, 0, -1])
    if (answer === -1) return { kind: 'unanswered', done }
    const reset = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    return { kind: 'fails', error: answer === 0 ? reset : s3Error(answer), done }
  }

  #failure(code: ErrorCode = 'SINK_FAILED'): ArmedFault['fate'] {
    const done = this.#world.chance(1, 2)
    return { kind: 'fails', error: new StreamingError(code, 'the service failed'), done }
  }

  #lateAnswer(): ArmedFault['fate'] {
    return { kind: 'slow', ms: this.#world.between(1_000, 15_000) }
  }

  #death(): ArmedFault['fate'] {
    return { kind: 'dies', done: this.#world.chance(1, 2) }
  }
}
