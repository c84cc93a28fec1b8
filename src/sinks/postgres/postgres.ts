import type { TaskSink } from '../sink.ts'
import { PostgresCommitter } from './committer.ts'
import { type PostgresOptions, type PostgresSettings, settingsOf } from './options.ts'
import { PostgresTaskWriter } from './task-writer.ts'

/** Writes records as rows of a PostgreSQL table; exactly once. Needs `pg` and `pg-copy-streams`
 * installed.
 *
 * Tasks copy their partitions into a staging table; the driver then inserts or upserts the batch
 * in one transaction, with a receipt, if no newer run has claimed the output. Texts, numbers,
 * bigints, booleans, dates and bytes go into columns that take them; anything into json and jsonb;
 * arrays into array columns. docs/sinks.md tells the rest.
 *
 * Throws ConfigError for options that cannot work; the start rejects with it where the table does
 * not fit them.
 *
 * @example
 * ```ts
 * const sink = postgres<[string, number]>({
 *   connection: 'postgres://localhost/shop',
 *   table: 'counts',
 *   columns: { word: ([word]) => word, n: ([, n]) => n },
 *   mode: 'upsert',
 *   key: ['word'],
 * })
 * assert.equal(sink.guarantee, 'exactly-once')
 * ```
 */
export function postgres<T>(options: PostgresOptions<T>): TaskSink<T> {
  const settings = settingsOf(options)
  return {
    name: `postgres:${settings.table}`,
    guarantee: 'exactly-once',
    // The driver looks at no record.
    open: (context) => PostgresCommitter.open(settings as PostgresSettings<never>, context),
    openTask: (context) => PostgresTaskWriter.open(settings, context),
  }
}
