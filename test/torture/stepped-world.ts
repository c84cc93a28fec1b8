// The world that a process changes, step by step: each call that changes something has a number. At
// a step of its choice a test stops the world, as the end of the process does, or lets the call
// fail. After the world has stopped no call returns, so that nothing that the engine would do about
// a failure can count.

/** One call that changes something. */
export interface Step {
  /** Counts from 1. */
  readonly n: number
  /** For example `link` or `datasync`. */
  readonly call: string
}

/** What happens at a step. */
export type Fate =
  | { readonly kind: 'goes on' }
  /** The process dies: before the call, or after it took effect. */
  | { readonly kind: 'stops'; readonly when: 'before' | 'after' }
  /** The call fails; what it writes is on the disk in part if `written` is less than 1. */
  | { readonly kind: 'fails'; readonly code: string; readonly written?: number }
  /** The call takes its time. */
  | { readonly kind: 'waits'; readonly until: Promise<void> }

/** Writes a share of what a call writes. */
export type PartialWrite = (share: number) => Promise<unknown>

/** Counts the steps of one process. */
export class SteppedWorld {
  /** The calls so far. */
  readonly calls: string[] = []
  readonly #fateOf: (step: Step) => Fate
  readonly #stopping = Promise.withResolvers<void>()
  readonly #inFlight = new Set<Promise<unknown>>()
  #stopped = false

  constructor(fateOf: (step: Step) => Fate) {
    this.#fateOf = fateOf
  }

  /** Resolves once the world has stopped and what was under way then has ended. */
  get stopped(): Promise<void> {
    return this.#stopping.promise
  }

  /** Runs a call that changes something. */
  async change(call: string, act: () => Promise<unknown>, part?: PartialWrite): Promise<unknown> {
    if (this.#stopped) return forever()
    this.calls.push(call)
    const fate = this.#fateOf({ n: this.calls.length, call })
    switch (fate.kind) {
      case 'goes on':
        return this.pass(act)
      case 'waits':
        await fate.until
        return this.pass(act)
      case 'fails':
        if (fate.written !== undefined) await part?.(fate.written)
        throw Object.assign(new Error(`${fate.code}: injected, ${call}`), { code: fate.code })
      case 'stops':
        if (fate.when === 'after') await act().catch(() => undefined)
        void this.#stop()
        return forever()
    }
  }

  /** Runs a call, unless the world has stopped; its answer comes only if it still goes on. */
  async pass(act: () => Promise<unknown>): Promise<unknown> {
    if (this.#stopped) return forever()
    const acting = act()
    this.#inFlight.add(acting)
    try {
      const result = await acting
      return this.#stopped ? await forever() : result
    } catch (error) {
      if (this.#stopped) return await forever()
      throw error
    } finally {
      this.#inFlight.delete(acting)
    }
  }

  async #stop(): Promise<void> {
    this.#stopped = true
    await Promise.allSettled(this.#inFlight)
    this.#stopping.resolve()
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined)
}
