// What a torture is: a test with a count. A case is known by its seed, so that a failure can be
// repeated, and a long run can go on where it was interrupted.

/** The cases of a torture on one store, made ready. */
export interface Suite {
  /** How many cases there are, seeds 1 to `cases`. @default any seed is a case */
  readonly cases?: number
  /** How many seeds one call of `run` takes at most. @default 1 */
  readonly chunk?: number
  /** Runs the cases of `count` seeds from `seed` on; rejects with what was found. Gives a word for
   * what happened, which is counted. */
  run(seed: number, count: number): Promise<string>
  /** Checks what shows at the end only, and lets go of everything. */
  close(): Promise<void>
}

/** A torture by its name. */
export interface Torture {
  readonly name: string
  /** What it does, in one sentence. */
  readonly what: string
  /** What it can run on; the first is the default. */
  readonly stores: readonly string[]
  /** How many cases run in CI and, once, before a release. */
  readonly counts: { readonly ci: number; readonly once: number }
  open(store: string, where: 'ci' | 'once'): Promise<Suite>
}

/** What was found by a case. */
export interface Finding {
  readonly seed: number
  readonly error: unknown
}

/** What a run of a torture gave. */
export interface TortureReport {
  readonly from: number
  /** The last seed that ran. */
  readonly to: number
  readonly found: readonly Finding[]
  readonly seconds: number
  /** How often each word was given. */
  readonly outcomes: ReadonlyMap<string, number>
}

/** How a torture runs. */
export interface TortureOptions {
  readonly store?: string
  readonly where?: 'ci' | 'once'
  /** @default 1 */
  readonly seed?: number
  /** @default the torture's count in CI; no more than it has cases */
  readonly count?: number
  readonly onProgress?: (report: TortureReport) => void
  /** Told at once: a run that is stopped has said what it found. */
  readonly onFound?: (finding: Finding) => void
}

/** More than this is one finding many times. */
const FOUND_MAX = 5

/** Runs the cases of a torture one after the other. */
export async function runTorture(
  torture: Torture,
  options: TortureOptions = {},
): Promise<TortureReport> {
  const { where = 'ci', seed: from = 1, onProgress, onFound } = options
  const suite = await torture.open(options.store ?? torture.stores[0] ?? '', where)
  const end = endOf(suite, from, options.count ?? torture.counts[where])
  const found: Finding[] = []
  const outcomes = new Map<string, number>()
  const startedMs = performance.now()
  let to = from - 1
  const report = () => {
    return { from, to, found, outcomes, seconds: (performance.now() - startedMs) / 1_000 }
  }
  const find = (finding: Finding): void => {
    found.push(finding)
    onFound?.(finding)
  }
  while (to < end - 1 && found.length < FOUND_MAX) {
    const count = Math.min(suite.chunk ?? 1, end - 1 - to)
    try {
      const outcome = await suite.run(to + 1, count)
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count)
    } catch (error) {
      find({ seed: to + 1, error })
    }
    to += count
    onProgress?.(report())
  }
  await suite.close().catch((error: unknown) => find({ seed: to, error }))
  return report()
}

function endOf({ cases }: Suite, from: number, count: number): number {
  return cases === undefined ? from + count : Math.min(from + count, cases + 1)
}

/** Says what was found, for an assertion or a screen. */
export function describeFindings({ found }: TortureReport): string[] {
  return found.map(describeFinding)
}

export function describeFinding({ seed, error }: Finding): string {
  return `seed ${seed}: ${textOf(error)}`
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined
    ? (error.stack ?? error.message)
    : `${error.stack ?? error.message}\ncaused by ${textOf(error.cause)}`
}

/** Says how often each outcome came. */
export function describeOutcomes(outcomes: ReadonlyMap<string, number>): string {
  const sorted = [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([outcome, n]) => `${outcome} ${n}`).join(', ')
}
