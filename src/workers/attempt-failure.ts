/** An attempt at a batch failed. `cause` is what was thrown. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure'
  /** The output whose records were being computed; undefined if none was. */
  readonly outputId: number | undefined
  /** Calls of mapAsync that the attempt made again. */
  readonly retriedCalls: number

  constructor(
    outputId: number | undefined,
    options: { readonly cause: unknown; readonly retriedCalls?: number },
  ) {
    super('an attempt at a batch failed', options)
    this.outputId = outputId
    this.retriedCalls = options.retriedCalls ?? 0
  }
}
