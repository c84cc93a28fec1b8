// Sends the speeches to the stream at a steady rate, one put at a time, and keeps the record of it.

import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { pause } from './pause.ts'
import type { Intent, Outcome, SentRecord } from './sent-record.ts'
import { type Line, Speeches } from './speeches.ts'
import { STREAM } from './stream-server.ts'
import { wordsOf } from './words.ts'

/** Far below what the server takes, so that two cores are enough for it and the engine. */
const WORDS_PER_SECOND = 5_000
const PUT_INTERVAL_MS = 200
const RECORDS_PER_PUT_MAX = 500
/** After a pause of the process the producer does not make up for more than this. */
const WORDS_PER_PUT_MAX = 4 * ((WORDS_PER_SECOND * PUT_INTERVAL_MS) / 1_000)

/** Feeds the stream. The last put must be settled before. */
export class Producer {
  readonly #client: KinesisClient
  readonly #sent: SentRecord
  readonly #speeches: Speeches
  readonly #onPut: (totalWords: number) => void

  constructor(client: KinesisClient, sent: SentRecord, onPut: (totalWords: number) => void) {
    this.#client = client
    this.#sent = sent
    this.#speeches = new Speeches(sent.next)
    this.#onPut = onPut
  }

  get speaker(): string {
    return this.#speeches.speaker
  }

  /** Sends until the signal aborts; resolves after the last put is settled. Rejects if a put
   * failed: whether its records arrived is then found out by the next start, when nothing is
   * under way. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = performance.now()
    while (!signal.aborted) {
      const now = performance.now()
      const words = Math.min(WORDS_PER_PUT_MAX, ((now - dueMs) * WORDS_PER_SECOND) / 1_000)
      dueMs = now
      await this.put(words)
      await pause(PUT_INTERVAL_MS - (performance.now() - now), signal)
    }
  }

  /** Sends about so many words. */
  async put(words: number): Promise<void> {
    const lines = this.#take(words)
    if (lines.length === 0) return
    const intent = await this.#sent.intend(lines, this.#speeches.cursor)
    await this.#sent.acknowledge(await this.#send(intent))
    this.#onPut(this.#sent.settled.totalWords)
  }

  #take(words: number): Line[] {
    const lines = this.#sent.unsent
    let left = words - lines.reduce((sum, { text }) => sum + wordsOf(text).length, 0)
    while (left > 0 && lines.length < RECORDS_PER_PUT_MAX) {
      const line = this.#speeches.next()
      lines.push(line)
      left -= wordsOf(line.text).length
    }
    return lines
  }

  async #send({ records }: Intent): Promise<Outcome> {
    const answer = await this.#client.send(
      new PutRecordsCommand({
        StreamName: STREAM,
        Records: records.map(([year, text]) => ({ PartitionKey: year, Data: Buffer.from(text) })),
      }),
    )
    return outcomeOf(answer.Records ?? [])
  }
}

interface PutResult {
  readonly ShardId?: string | undefined
  readonly SequenceNumber?: string | undefined
}

function outcomeOf(results: readonly PutResult[]): Outcome {
  const failed: number[] = []
  const last: Record<string, string> = {}
  for (const [index, { ShardId: shard, SequenceNumber: sequence }] of results.entries()) {
    if (shard === undefined || sequence === undefined) failed.push(index)
    else if (BigInt(sequence) > BigInt(last[shard] ?? 0)) last[shard] = sequence
  }
  return { failed, last }
}
