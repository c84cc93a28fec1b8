// Plays a sequence of calls against one server, and tells what came back in words that do not
// depend on the server: sequence numbers by their order, times and tokens by being there.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import * as sdk from '@aws-sdk/client-kinesis'
import type { Call, Ref } from './calls.ts'

/** What came of a call: an answer, the name of an error, or nothing where it could not be made. */
export type Outcome =
  | { readonly answer: Readonly<Record<string, unknown>> }
  | { readonly error: string }
  | undefined

/** The error of a call whose answer did not come in `ANSWER_MS_MAX`. */
export const NO_ANSWER = 'no answer'
const ANSWER_MS_MAX = 1_500
const SETTLED_MS_MAX = 10_000
const CHANGES = /^(Create|Delete|Split|Merge|Update|Increase|Decrease)/
const FUTURE_MS = 3_600_000

type Sendable = Parameters<KinesisClient['send']>[0]
type Answer = Record<string, unknown>

/** Plays one sequence after the other on a server. */
export class Player {
  readonly #client: KinesisClient
  #made = new Set<string>()
  #given = new Map<Ref['ref'], unknown[]>()
  #labels = new Map<string, string>()
  #put = 0
  #startedMs = 0
  /** Calls that were made. */
  calls = 0

  constructor(client: KinesisClient) {
    this.#client = client
  }

  /** Gives the outcome of each call. Begins and ends without streams. */
  async play(calls: readonly Call[]): Promise<Outcome[]> {
    this.#given = new Map()
    this.#labels = new Map()
    this.#put = 0
    this.#startedMs = Date.now() - 1
    const outcomes: Outcome[] = []
    for (const call of calls) {
      const outcome = await this.#make(call)
      outcomes.push(outcome)
      if (outcome === undefined) continue
      if ('error' in outcome) {
        // Whether the server will ever answer again nobody knows: it is started anew.
        if (outcome.error === NO_ANSWER) return outcomes
        continue
      }
      if (CHANGES.test(call.operation)) await this.#settle()
      // Times are compared in whole milliseconds: what comes later has a later one.
      if (call.operation.startsWith('Put')) await nextMillisecond()
    }
    await this.#clear()
    return outcomes
  }

  async #make({ operation, input }: Call): Promise<Outcome> {
    const resolved = this.#resolve(input)
    if (resolved === undefined) return undefined
    this.calls += 1
    try {
      const answer = await this.#send(operation, resolved as object)
      this.#remember(operation, resolved as Answer, answer)
      return { answer: this.#normal(answer) as Answer }
    } catch (error) {
      const { name } = error as Error
      return { error: name === 'AbortError' ? NO_ANSWER : name }
    }
  }

  async #send(operation: string, input: object): Promise<Answer> {
    const commands = sdk as unknown as Record<string, new (input: object) => Sendable>
    const command = new (commands[`${operation}Command`] as new (input: object) => Sendable)(input)
    const abortSignal = AbortSignal.timeout(ANSWER_MS_MAX)
    const { $metadata: _, ...answer } = await this.#client.send(command, { abortSignal })
    return answer
  }

  /** The input with what its references stand for; undefined where the server has given nothing
   * of the kind. */
  #resolve(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    if ('ref' in value) return this.#referred(value as Ref)
    const entries = Object.entries(value).map(([key, one]) => [key, this.#resolve(one)] as const)
    if (entries.some(([, one]) => one === undefined)) return undefined
    const resolved = entries.map(([, one]) => one)
    return Array.isArray(value) ? resolved : Object.fromEntries(entries)
  }

  #referred({ ref, n }: Ref): unknown {
    if (ref === 'time') {
      const times = [this.#startedMs, Date.now(), Date.now() + FUTURE_MS]
      return new Date(times[n % times.length] as number)
    }
    const given = this.#given.get(ref) ?? []
    return given[n % given.length]
  }

  #remember(operation: string, input: Answer, answer: Answer): void {
    const { NextToken, ShardIterator, NextShardIterator, StreamDescriptionSummary } = answer
    this.#give('token', operation === 'ListShards' ? NextToken : undefined)
    this.#give('iterator', ShardIterator ?? NextShardIterator)
    const { StreamARN } = (StreamDescriptionSummary ?? {}) as Answer
    this.#give('arn', StreamARN)
    if (operation === 'CreateStream') this.#made.add(input['StreamName'] as string)
    const records = operation === 'PutRecords' ? answer['Records'] : [answer]
    if (!operation.startsWith('Put')) return
    for (const { SequenceNumber } of records as Answer[]) {
      if (SequenceNumber === undefined || SequenceNumber === null) continue
      // Two streams may give the same number.
      this.#labels.set(SequenceNumber as string, `record ${this.#put++}`)
      this.#give('record', SequenceNumber)
    }
  }

  #give(kind: Ref['ref'], value: unknown): void {
    if (value === undefined || value === null) return
    this.#given.set(kind, [...(this.#given.get(kind) ?? []), value])
  }

  /** Waits until each stream is active or gone, and knows its ARN. */
  async #settle(): Promise<void> {
    const endMs = performance.now() + SETTLED_MS_MAX
    for (const StreamName of this.#made) {
      for (;;) {
        const status = await this.#statusOf(StreamName)
        if (status === undefined) this.#made.delete(StreamName)
        if (status === undefined || status === 'ACTIVE') break
        if (performance.now() > endMs) {
          throw new Error(`Stream ${StreamName} stays ${JSON.stringify(status)}`)
        }
      }
    }
  }

  async #statusOf(StreamName: string): Promise<unknown> {
    try {
      const answer = await this.#send('DescribeStreamSummary', { StreamName })
      const summary = answer['StreamDescriptionSummary'] as Answer
      if (StreamName === 'a') this.#given.set('arn', [summary['StreamARN']])
      return summary['StreamStatus']
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return undefined
      throw error
    }
  }

  async #clear(): Promise<void> {
    for (const StreamName of this.#made) await this.#send('DeleteStream', { StreamName })
    await this.#settle()
    this.#made = new Set()
  }

  #normal(value: unknown, key = ''): unknown {
    if (value === null || value === undefined) return undefined
    const named = this.#named(value, key)
    if (named !== undefined) return named
    if (Array.isArray(value)) return value.map((one) => this.#normal(one))
    if (typeof value !== 'object') return value
    const entries = Object.entries(value).map(([name, one]) => [name, this.#normal(one, name)])
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined)) as Answer
  }

  #named(value: unknown, key: string): unknown {
    if (value instanceof Date) return 'a time'
    if (value instanceof Uint8Array) return Buffer.from(value).toString()
    switch (key) {
      case 'SequenceNumber':
        return this.#labels.get(value as string) ?? 'a number that no put was given'
      case 'StartingSequenceNumber':
      case 'EndingSequenceNumber':
        return 'a number'
      case 'ShardIterator':
      case 'NextShardIterator':
      case 'NextToken':
        return 'a token'
      case 'StreamARN':
        return 'an ARN'
      case 'StreamId':
        return 'an id'
      case 'ErrorMessage':
        return 'a text'
      case 'MillisBehindLatest':
        return value === 0 ? 'at the tip' : 'behind'
      default:
        return undefined
    }
  }
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now()
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve))
}
