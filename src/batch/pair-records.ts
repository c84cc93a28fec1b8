import type { Records } from './records.ts'

/** Pairs kept as two columns: what a shuffle hands on. A pair is made when it is asked for. */
export class PairRecords implements Records<[unknown, unknown]> {
  readonly keys: readonly unknown[]
  readonly values: readonly unknown[]

  constructor(keys: readonly unknown[], values: readonly unknown[]) {
    this.keys = keys
    this.values = values
  }

  get length(): number {
    return this.keys.length
  }

  at(index: number): [unknown, unknown] {
    return [this.keys[index], this.values[index]]
  }
}
