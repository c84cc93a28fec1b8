import type { State } from '../dstream/state-operators.ts'

/** The state of one key for one call of a mapWithState closure. */
export class StateHandle implements State<unknown> {
  #content: { readonly value: unknown } | undefined
  readonly #timingOut: boolean
  /** True once `update` was called. */
  updated = false
  /** True once `remove` was called. */
  removed = false

  constructor(content: { readonly value: unknown } | undefined, timingOut = false) {
    this.#content = content
    this.#timingOut = timingOut
  }

  exists(): boolean {
    return this.#content !== undefined
  }

  get(): unknown {
    if (this.#content !== undefined) return this.#content.value
    throw new RangeError('Cannot get the state of a key that has none: ask exists() first')
  }

  update(value: unknown): void {
    this.#refuseChange('update')
    this.#content = { value }
    this.updated = true
  }

  remove(): void {
    this.#refuseChange('remove')
    this.#content = undefined
    this.removed = true
  }

  isTimingOut(): boolean {
    return this.#timingOut
  }

  #refuseChange(action: string): void {
    if (!this.removed && !this.#timingOut) return
    const why = this.removed ? 'it has been removed' : 'it is timing out and will be removed'
    throw new RangeError(`Cannot ${action} the state of a key: ${why}`)
  }
}
