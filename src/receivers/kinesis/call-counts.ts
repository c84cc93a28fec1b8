// What the calls for a stream amount to, summed up between two batches: an event for each of them
// would cost more than they do.

/** Sums up calls until they are told. */
export class CallCounts {
  readonly #sums = new Map<string, number>()

  called(): void {
    this.#add('kinesis.calls', 1)
  }

  /** A read gave so many records, of so many bytes of data and partition keys. */
  read(records: number, bytes: number): void {
    this.#add('kinesis.records', records)
    this.#add('kinesis.bytes', bytes)
  }

  /** A call waited because one was refused. */
  throttled(ms: number): void {
    this.#add('kinesis.throttled-ms', ms)
  }

  /** Tells the sums, and begins anew. */
  tell(count: (name: string, by: number) => void): void {
    for (const [name, by] of this.#sums) if (by > 0) count(name, by)
    this.#sums.clear()
  }

  #add(name: string, by: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + by)
  }
}
