// A source that a test pushes records into, and a run that a test drives tick by tick.

import type { Run, Source } from 'millrace'
import type { ManualClock } from 'millrace/testing'
import { ValuesBlock } from '../../src/batch/values-block.ts'
import type {
  Position,
  RangeData,
  ReceiverContext,
  SourceRange,
} from '../../src/receivers/receiver.ts'

/** How a `PushSource` behaves. */
export interface PushOptions {
  readonly name?: string
  /** @default true */
  readonly replayable?: boolean
  /** True: the receiver is told its rate, and limits itself. @default false */
  readonly limitsItself?: boolean
  readonly onStart?: () => Promise<void>
  readonly onRun?: () => void
  /** Before ranges are read again. */
  readonly onReplay?: () => Promise<void>
  /** What the receiver still does while it stops. */
  readonly onStop?: () => Promise<void>
}

const at = (n: number): Position => ({ kind: 'sequence', sequence: String(n), sub: -1 })

/** Keeps all that was pushed, across runs, as a stream would. */
export class PushSource implements Source<number> {
  declare readonly produces?: number
  readonly name: string
  readonly replayable: boolean
  /** The rates that the receiver was told. */
  readonly rates: number[] = []
  readonly #options: PushOptions
  readonly #pushed: number[] = []
  #taken = 0
  #context: ReceiverContext | undefined
  stopped = 0

  constructor(options: PushOptions = {}) {
    this.#options = options
    this.name = options.name ?? 'pushed'
    this.replayable = options.replayable ?? true
  }

  get context(): ReceiverContext {
    if (this.#context === undefined) throw new Error('the source is not open')
    return this.#context
  }

  /** Records that no batch has taken. */
  get waiting(): number {
    return this.#pushed.length - this.#taken
  }

  push(...values: number[]): void {
    this.#pushed.push(...values)
  }

  open(context: ReceiverContext) {
    this.#context = context
    const { limitsItself, onStart, onRun, onReplay, onStop } = this.#options
    const setRate = { setRate: (rate: number) => void this.rates.push(rate) }
    return {
      start: async (from: readonly { position: Position }[]) => {
        await onStart?.()
        const position = from[0]?.position
        this.#taken = position?.kind === 'sequence' ? Number(position.sequence) : 0
        return [{ partition: 'all', position: at(this.#taken), caughtUpAt: 0, parents: [] }]
      },
      run: () => onRun?.(),
      cut: ({ recordsMax }: { readonly recordsMax: number }) => this.#cut(recordsMax),
      replay: async (ranges: readonly SourceRange[]) => {
        await onReplay?.()
        return ranges.map((range) => this.#read(range))
      },
      caughtUp: () => true,
      bufferedBytes: () => this.waiting,
      lagMs: () => undefined,
      stop: async () => {
        await onStop?.()
        this.stopped += 1
      },
      ...(limitsItself === true ? setRate : {}),
    }
  }

  #cut(recordsMax: number): RangeData[] {
    const from = this.#taken
    this.#taken = Math.min(this.#pushed.length, from + recordsMax)
    if (this.#taken === from) return []
    return [this.#range(from, this.#taken)]
  }

  #read({ after, upTo }: SourceRange): RangeData {
    const ends = [after, upTo].map((end) => (end.kind === 'sequence' ? Number(end.sequence) : 0))
    return this.#range(ends[0] ?? 0, ends[1] ?? 0)
  }

  #range(from: number, to: number): RangeData {
    const block = new ValuesBlock(this.#pushed.slice(from, to), from)
    const counts = { records: block.length, crc: block.crc(0), caughtUpAt: 0, parents: [] }
    return {
      range: { partition: 'all', after: at(from), upTo: at(to), ...counts },
      blocks: [block],
    }
  }
}

/** Moves the clock on and waits for the batch that is due then, or for the end of the run. */
export async function tick(run: Run, clock: ManualClock, ms = 1_000): Promise<void> {
  const over = new Promise<void>((resolve) => {
    const off = [
      run.on('batch-completed', () => resolve()),
      run.on('batch-failed', () => resolve()),
    ]
    run.done.then(resolve, () => resolve()).finally(() => off.forEach((remove) => void remove()))
  })
  clock.advance(ms)
  await over
}
