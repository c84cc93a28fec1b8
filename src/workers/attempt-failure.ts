/** An attempt at a batch failed. `cause` is what was thrown. */
export class AttemptFailure extends Error {
  override readonly name = 'AttemptFailure'
  /** The output whose records were being computed; undefined if none was. */
  readonly outputId: number | undefined

  constructor(outputId: number | undefined, options: { readonly cause: unknown }) {
    super('an attempt at a batch failed', options)
    this.outputId = outputId
  }
}
