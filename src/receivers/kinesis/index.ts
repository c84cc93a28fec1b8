import type { Source } from '../receiver.ts'
import { KinesisReceiver } from './kinesis-receiver.ts'
import { KinesisBlock, KinesisRecord } from './kinesis-record.ts'
import { type KinesisOptions, kinesisSettings, type StartAt } from './options.ts'

export { KinesisBlock, type KinesisOptions, KinesisRecord, type StartAt }

/** The records of a Kinesis stream: all its shards, each in order, replayable.
 *
 * Reads by polling within the service's limits. A checkpoint resumes each shard after its last
 * committed record; without one, `startAt` says where to begin. Throws ConfigError for options that
 * cannot work; the start rejects with SOURCE_UNREACHABLE and what to check, or SOURCE_GAP.
 *
 * @example
 * ```ts
 * const source = kinesis({ stream: 'lines', startAt: 'TRIM_HORIZON', region: 'eu-central-1' })
 * assert.equal(source.name, 'kinesis:lines')
 * ```
 */
export function kinesis(options: KinesisOptions): Source<KinesisRecord> {
  const settings = kinesisSettings(options)
  return {
    name: `kinesis:${settings.stream}`,
    replayable: true,
    open: (context) => new KinesisReceiver(settings, context),
    fromParcel: KinesisBlock.fromParcel,
  }
}
