import type { Records } from '../batch/records.ts'

/** The records of a partition that stay with the worker that has them: here they are only
 * counted. */
export class CountedRecords implements Records<unknown> {
  readonly length: number

  constructor(length: number) {
    this.length = length
  }

  at(): never {
    throw new Error('millrace bug: records that a task writes are not in the driver')
  }
}
