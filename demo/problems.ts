const SHOWN_MAX = 6

/** Counts what is wrong in one respect and keeps the first of it in words. */
export class Problems {
  readonly shown: string[] = []
  count = 0

  add(...problems: readonly string[]): void {
    this.count += problems.length
    this.shown.push(...problems.slice(0, SHOWN_MAX - this.shown.length))
  }
}
