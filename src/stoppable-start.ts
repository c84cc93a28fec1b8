// A start that ends when it is told to stop. There is nothing yet that a graceful stop would have
// to process, and what is to be redone can wait for the next start.

import { codeOf, StreamingError } from './errors.ts'

/** Tells a start that it is to stop, and the caller why it rejects then. */
export class StoppableStart {
  readonly #pipeline: string
  readonly #stop: AbortSignal
  readonly #aborted: AbortController
  readonly #onStop = (): void => this.#aborted.abort(startStopped(this.#pipeline))

  /** `aborted` ends what the start waits for. */
  constructor(pipeline: string, stop: AbortSignal, aborted: AbortController) {
    this.#pipeline = pipeline
    this.#stop = stop
    this.#aborted = aborted
    if (stop.aborted) this.#onStop()
    else stop.addEventListener('abort', this.#onStop, { once: true })
  }

  /** The start has ended: to stop is the affair of the run. */
  ended(): void {
    this.#stop.removeEventListener('abort', this.#onStop)
  }

  /** Why the start rejects, given what it failed with. */
  whyOf(error: unknown): unknown {
    const { signal } = this.#aborted
    // A start that waited for another owner names it.
    const isTold = error === signal.reason || codeOf(error) === 'CHECKPOINT_IN_USE'
    return !signal.aborted || isTold ? error : startStopped(this.#pipeline, error)
  }
}

function startStopped(pipeline: string, cause?: unknown): StreamingError {
  return new StreamingError(
    'START_STOPPED',
    `Cannot start pipeline "${pipeline}": it was told to stop before its start had ended; what ` +
      `is planned and not committed waits for the next start`,
    { retryable: true, ...(cause === undefined ? {} : { cause }) },
  )
}
