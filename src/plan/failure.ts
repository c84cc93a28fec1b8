/** What a generated loop throws: the closure's own error with the index of the record in its
 * piece. */
export class LoopFailure {
  readonly index: number
  readonly cause: unknown

  constructor(index: number, cause: unknown) {
    this.index = index
    this.cause = cause
  }
}
