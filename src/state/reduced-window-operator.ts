// A window reduced by key: the parent's batches come reduced by key, as panes, to the partitions
// of their keys. Each partition goes its own way; what all workers know alike is whether a batch
// was a slide.

import type { Partition } from '../batch/records.ts'
import { ownersOf, type Seat, type Spread, spreadBy } from '../batch/spread.ts'
import type { ReducedWindowOptions } from '../dstream/graph.ts'
import { InverseReduction } from './inverse-reduction.ts'
import { ownPart } from './keyed-state.ts'
import type { OperatorChange, StatefulRuntime } from './stateful-operator.ts'
import { TwoStackReduction } from './two-stack-reduction.ts'
import { type Slide, WindowPart } from './window-part.ts'
import type { Reduce } from './window-reduction.ts'

const NO_PARTITIONS: Spread<Partition<unknown>> = { owners: [], parts: [] }

/** Where a window of the pipeline runs. */
export interface WindowSeat extends Seat {
  /** Zero time of the pipeline, epoch milliseconds. */
  readonly zeroTime: number
}

/** reduceByKeyAndWindow and reduceByWindow, with an inverse or without. */
export class ReducedWindowOperator implements StatefulRuntime {
  readonly id: string
  readonly #lengthMs: number
  readonly #self: number
  readonly #owners: readonly number[]
  readonly #parts: readonly (WindowPart | undefined)[]
  /** The slide of the current attempt. */
  #slide: Slide | undefined

  constructor(id: string, options: ReducedWindowOptions, seat: WindowSeat) {
    this.id = id
    this.#lengthMs = options.lengthMs
    this.#self = seat.self
    this.#owners = ownersOf(options.partitions, seat.workers)
    const what = `a value of window "${id}"`
    const make = () => new WindowPart(what, reductionOf(what, options, seat.zeroTime))
    this.#parts = spreadBy(this.#owners, seat.self, make).parts
  }

  begin(): void {
    for (const part of this.#parts) part?.begin()
    this.#slide = undefined
  }

  run(
    time: number,
    parent: Spread<Partition<unknown>> | undefined,
    due: boolean,
  ): Spread<Partition<unknown>> {
    const slide = due ? this.#slideTo(time) : undefined
    this.#slide = slide
    this.#parts.forEach((part, p) => {
      part?.run(time, ownPart(parent, p), slide)
    })
    if (!due) return NO_PARTITIONS
    return spreadBy(this.#owners, this.#self, (p) => [(this.#parts[p] as WindowPart).output()])
  }

  changes(): OperatorChange | undefined {
    const parts: [number, unknown][] = []
    this.#parts.forEach((part, p) => {
      const changes = part?.changes()
      if (changes !== undefined) parts.push([p, changes])
    })
    const moved = this.#parts.some((part) => part?.moved === true)
    if (parts.length === 0 && !moved) return undefined
    return { shared: this.#slide?.time ?? null, partitions: this.#owners.length, parts }
  }

  merge(): void {
    for (const part of this.#parts) part?.merge()
  }

  freeze(): IterableIterator<OperatorChange> {
    const frozen: [number, Iterable<unknown>][] = []
    this.#parts.forEach((part, p) => {
      if (part !== undefined && !part.empty) frozen.push([p, part.freeze()])
    })
    return this.#pieces(frozen)
  }

  thaw(): void {
    for (const part of this.#parts) part?.thaw()
  }

  restore({ parts }: OperatorChange): void {
    for (const [p, piece] of parts) this.#parts[p]?.restore(piece)
  }

  apply({ shared, parts }: OperatorChange): void {
    const slide = shared === null ? undefined : this.#slideTo(shared as number)
    const changed = new Map(parts)
    this.#parts.forEach((part, p) => {
      part?.apply(changed.get(p), slide)
    })
  }

  *#pieces(
    frozen: readonly (readonly [number, Iterable<unknown>])[],
  ): IterableIterator<OperatorChange> {
    const partitions = this.#owners.length
    for (const [p, pieces] of frozen) {
      for (const piece of pieces) yield { shared: null, partitions, parts: [[p, piece]] }
    }
  }

  #slideTo(time: number): Slide {
    return { time, after: time - this.#lengthMs }
  }
}

function reductionOf(
  what: string,
  options: ReducedWindowOptions,
  zeroTime: number,
): InverseReduction | TwoStackReduction {
  const { f, inverse, lengthMs } = options
  if (inverse !== undefined)
    return new InverseReduction(what, options, inverse as unknown as Reduce)
  return new TwoStackReduction(what, f as unknown as Reduce, { zeroTime, lengthMs })
}
