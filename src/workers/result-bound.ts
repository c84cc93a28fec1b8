import { StreamingError } from '../errors.ts'

/** What an attempt fails with whose records are more than the driver takes. */
export function resultsTooLarge(bytes: number, resultBytesMax: number): StreamingError {
  return new StreamingError(
    'RESULTS_TOO_LARGE',
    `Cannot take the records of the outputs to the driver: they have ${bytes} bytes, and ` +
      `resultBytesMax is ${resultBytesMax}; write them with a sink whose tasks write (files, ` +
      `postgres), reduce them first, lower batchBytesMax, or raise resultBytesMax`,
  )
}
