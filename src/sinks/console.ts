import { textOf } from './record-text.ts'
import type { DriverSink } from './sink.ts'

/** Settings of `console()`. */
export interface ConsoleOptions {
  /** Records shown of each batch. @default 10 */
  readonly count?: number
  /** Takes the text of a batch. @default process.stdout */
  readonly write?: (text: string) => void
}

/** Prints the first records of each batch to standard output, under its time, as Spark's print()
 * does.
 *
 * @example
 * ```ts
 * let shown = ''
 * const sink = console({ count: 1, write: (text) => (shown += text) })
 * const retried = () => undefined
 * const context = { pipeline: 'p', outputId: 0, epoch: 1, logger: quietLogger, retried }
 * const writer = await sink.open(context)
 * await writer.write({ pipeline: 'p', batchId: 1, time: 1000, epoch: 1, attempt: 0 }, [['a', 'b']])
 * assert.match(shown, /Time: 1000 ms[^]*\na\n\.\.\.\n/)
 * ```
 */
export function console(options: ConsoleOptions = {}): DriverSink<unknown> {
  const { count = 10, write = (text: string) => void process.stdout.write(text) } = options
  const line = '-'.repeat(43)
  return {
    name: 'console',
    guarantee: 'at-least-once',
    open: () =>
      Promise.resolve({
        recover: () => Promise.resolve(),
        write(batch, partitions) {
          const records = partitions.flat(1)
          const shown = records.slice(0, count).map((record) => `${textOf(record)}\n`)
          const more = records.length > count ? '...\n' : ''
          const text = `${line}\nTime: ${batch.time} ms\n${line}\n${shown.join('')}${more}\n`
          write(text)
          return Promise.resolve({ records: records.length, bytes: Buffer.byteLength(text) })
        },
        close: () => Promise.resolve(),
      }),
  }
}
