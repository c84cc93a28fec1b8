import type { StoredValue } from '../batch/sealed.ts'
import type { State } from '../dstream/state-operators.ts'
import type { StatePartition } from './state-partition.ts'

const NONE = -1
const NOTHING = Symbol('nothing')

type Phase = 'open' | 'timing out' | 'removed' | 'ended'

/** The state of one key for one call of a mapWithState closure. It writes through to the partition:
 * what cannot be changed in place at once, an object when the call has ended. After that it refuses
 * to be used, since the next call has another. */
export class StateHandle implements State<unknown> {
  readonly #state: StatePartition
  readonly #key: unknown
  /** Id of the key; NONE: it has no state. */
  #id: number
  /** The object that the closure has, as it may have changed it. */
  #held: unknown = NOTHING
  /** True if that object is to be the state. */
  #pending = false
  #phase: Phase

  constructor(state: StatePartition, key: unknown, id: number, phase: Phase = 'open') {
    this.#state = state
    this.#key = key
    this.#id = id
    this.#phase = phase
  }

  exists(): boolean {
    if (this.#phase === 'ended') refuse('look at', 'ended')
    return this.#id !== NONE || this.#pending
  }

  get(): unknown {
    if (this.#phase === 'ended') refuse('get', 'ended')
    if (this.#held !== NOTHING) return this.#held
    if (this.#id === NONE) {
      throw new RangeError('Cannot get the state of a key that has none: ask exists() first')
    }
    const stored = this.#state.values.get(this.#id)
    if (typeof stored !== 'object' || stored === null) return stored
    this.#held = this.#state.valueAt(this.#id)
    return this.#held
  }

  update(value: unknown): void {
    if (this.#phase !== 'open') refuse('update', this.#phase)
    if (typeof value === 'number') {
      this.#pending = false
      this.#held = NOTHING
      this.#write(value)
    } else {
      this.#pending = true
      this.#held = value
    }
  }

  remove(): void {
    if (this.#phase !== 'open') refuse('remove', this.#phase)
    if (this.#id !== NONE) this.#state.remove(this.#id)
    this.#id = NONE
    this.#pending = false
    this.#held = NOTHING
    this.#phase = 'removed'
  }

  isTimingOut(): boolean {
    if (this.#phase === 'ended') refuse('look at', 'ended')
    return this.#phase === 'timing out'
  }

  /** Ends the call: stores what is pending. Gives the id of the key, or -1 if it has no state. */
  end(): number {
    this.#phase = 'ended'
    if (this.#pending) this.#write(this.#state.seal(this.#held))
    return this.#id
  }

  /** Ends a call that failed. */
  abandon(): void {
    this.#phase = 'ended'
  }

  #write(stored: StoredValue): void {
    if (this.#id === NONE) this.#id = this.#state.add(this.#key, stored)
    else this.#state.set(this.#id, stored)
  }
}

function refuse(action: string, phase: Phase): never {
  const why = {
    open: '',
    'timing out': 'it is timing out and will be removed',
    removed: 'it has been removed',
    ended: 'the call that it was given to has ended; keep what get() gave instead',
  }
  throw new RangeError(`Cannot ${action} the state of a key: ${why[phase]}`)
}
