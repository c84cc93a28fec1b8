// One case: some streams of some shards on one simulated service, whose calls fail in many ways,
// until so many calls of the receivers were faulted; then all that was written must have come.

import {
  KinesisClient,
  type KinesisClientConfig,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis'
import { KinesisSimulator, type LoggedCall } from 'millrace/testing'
import { pickFrom } from '../picks.ts'
import { VirtualClock } from '../virtual-clock.ts'
import { isOfReceiver } from './expected-counts.ts'
import { faultRules } from './fault-rules.ts'
import { FaultedStream, type StreamPlan } from './faulted-stream.ts'
import { randomReshard } from './random-reshard.ts'
import { ShardLimits } from './shard-limits.ts'

const MIB = 1_048_576
const EPOCH_MS = 2_000
/** More than one epoch can have. */
const CALLS_KEPT = 20_000
/** Nothing takes longer, with all its faults, pauses and outages. */
const CASE_MS_MAX = 4 * 3_600_000
const AFTER_MS = 10_000
const RESHARDS_MAX = 6

/** What happened in a case. */
export interface CaseReport {
  /** Calls of the receivers that were faulted. */
  faulted: number
  calls: number
  /** Seconds of virtual time. */
  seconds: number
  restarts: number
  reshards: number
  pauses: number
  /** How often each fault and each refusal came: "GetRecords error", … */
  readonly seen: Map<string, number>
}

/** Runs one case. */
export class FaultedCase {
  readonly report: CaseReport = {
    ...{ faulted: 0, calls: 0, seconds: 0, restarts: 0, reshards: 0, pauses: 0, seen: new Map() },
  }
  readonly #pick: (below: number) => number
  readonly #clock = new VirtualClock()
  readonly #simulator: KinesisSimulator
  readonly #client: KinesisClient
  readonly #streams: readonly FaultedStream[]
  readonly #limits = new ShardLimits()
  readonly #startMs: number
  readonly #endMs: number
  readonly #onCall: ((call: LoggedCall) => void) | undefined
  #read = 0
  #pausedLong = false
  #failure: unknown

  /** `onCall`: told each call of the log. */
  constructor(seed: number, onCall?: (call: LoggedCall) => void) {
    this.#pick = pickFrom(seed)
    this.#onCall = onCall
    const startMs = this.#clock.wallMs()
    this.#startMs = startMs
    this.#endMs = startMs + CASE_MS_MAX
    const plans = streamPlans(this.#pick)
    const names = plans.map(({ stream }) => stream)
    this.#simulator = new KinesisSimulator({
      clock: this.#clock,
      seed,
      faults: faultRules(this.#pick, startMs, names),
      callsMax: CALLS_KEPT,
    })
    this.#client = new KinesisClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
      maxAttempts: 1,
      requestHandler: this.#simulator.requestHandler(),
      // The service looks whether there is a signature, and not at it: a third of a call's time.
      signer: { sign: (request) => Promise.resolve(signed(request)) },
    })
    const readLog = (): void => this.#readLog()
    const world = { client: this.#client, clock: this.#clock, pick: this.#pick, readLog }
    this.#streams = plans.map((plan) => new FaultedStream(plan, world))
  }

  /** Runs until so many calls of the receivers were faulted, and everything came. */
  async run(faulted: number): Promise<CaseReport> {
    // The client reads its configuration at its first call: after it, it waits for promises only.
    await this.#client.send(new ListStreamsCommand({}))
    for (const { plan } of this.#streams) {
      const ShardCount = 1 + this.#pick(4)
      this.#simulator.call('CreateStream', { StreamName: plan.stream, ShardCount })
    }
    const producing = this.#streams.map((stream) => this.#guarded(stream.producer.run()))
    for (const stream of this.#streams) {
      void this.#guarded(stream.cutBatches())
      void this.#guarded(stream.begin([]))
    }
    while (this.report.faulted < faulted) {
      await this.#epoch()
      this.#disturb()
    }
    await this.#drain(Promise.all(producing))
    return this.report
  }

  async #drain(produced: Promise<unknown>): Promise<void> {
    for (const { producer } of this.#streams) producer.end()
    await this.#clock.passFor(produced, this.#endMs)
    for (const stream of this.#streams) stream.hurry()
    do await this.#epoch()
    while (!this.#streams.every(({ isDrained, isRead }) => isDrained && isRead))
    await this.#epoch(AFTER_MS)
    const ends = this.#streams.map((stream) => stream.end())
    await this.#clock.passFor(Promise.all(ends), this.#endMs)
    for (const stream of this.#streams) stream.checkAll()
    await this.#simulator.close()
    this.#client.destroy()
    this.report.seconds = (this.#clock.wallMs() - this.#startMs) / 1_000
  }

  /** Lets some time pass, with a look at each moment, and reads the log. */
  async #epoch(ms = EPOCH_MS): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + ms
    const isOver = (): boolean => {
      if (this.#failure !== undefined) throw this.#failure
      for (const stream of this.#streams) stream.checkNow()
      return this.#clock.monotonicMs() >= untilMs
    }
    await this.#clock.pass(isOver, this.#endMs)
    this.#readLog()
  }

  /** Sooner or later one engine pauses for longer than an iterator lives. */
  #mayPauseLong(): void {
    if (this.#pausedLong || this.#pick(60) > 0) return
    this.#pausedLong = true
    this.report.pauses += 1
    this.#streams[0]?.pause(330_000)
  }

  /** A pause of an engine, a restart, or a reshard, now and then. */
  #disturb(): void {
    const { report } = this
    this.#mayPauseLong()
    const stream = this.#streams[this.#pick(this.#streams.length)] as FaultedStream
    const what = this.#pick(200)
    if (what < 4) {
      report.pauses += 1
      stream.pause(1_000 + this.#pick(60_000))
    } else if (what === 4 && stream.isRead) {
      report.restarts += 1
      this.#limits.forget(stream.plan.stream)
      void this.#guarded(stream.restart())
    } else if (what < 20 && report.reshards < RESHARDS_MAX) {
      if (randomReshard(this.#simulator, stream.plan.stream, this.#pick)) report.reshards += 1
    }
  }

  #readLog(): void {
    const { callCount, calls } = this.#simulator
    const news = callCount - this.#read
    if (news > calls.length) throw new Error(`The log has ${calls.length} of ${news} calls`)
    this.#read = callCount
    for (const call of news === 0 ? [] : calls.slice(-news)) this.#take(call)
  }

  #take(call: LoggedCall): void {
    const { report } = this
    const isRead = isOfReceiver(call)
    report.calls += 1
    if (isRead && call.fault !== 'none') report.faulted += 1
    if (call.fault !== 'none') this.#saw(`${call.operation} ${call.fault}`)
    if (call.outcome === 'ExpiredIteratorException') this.#saw('expired iterator')
    this.#onCall?.(call)
    this.#limits.take(call)
    this.#streams.find(({ plan }) => plan.stream === call.stream)?.take(call, isRead)
  }

  #saw(what: string): void {
    const { seen } = this.report
    seen.set(what, (seen.get(what) ?? 0) + 1)
  }

  /** Work whose failure ends the case. */
  #guarded<T>(work: Promise<T>): Promise<T | undefined> {
    return work.catch((error: unknown) => {
      this.#failure ??= error
      return undefined
    })
  }
}

type Signer = Exclude<KinesisClientConfig['signer'], undefined | ((scheme: never) => unknown)>
type SignedRequest = Parameters<Signer['sign']>[0]

function signed(request: SignedRequest): SignedRequest {
  request.headers['authorization'] =
    'AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/kinesis/aws4_request, ' +
    'SignedHeaders=host, Signature=00'
  request.headers['x-amz-date'] = '20260101T000000Z'
  return request
}

function streamPlans(pick: (below: number) => number): StreamPlan[] {
  const isBig = pick(8) === 0
  return Array.from({ length: 1 + pick(3) }, (_, i) => ({
    stream: `stream${i}`,
    // Few keys leave shards idle.
    keys: 1 + pick(12),
    bytes: isBig ? 10_000 + pick(60_000) : 24 + pick(200),
    intervalMs: isBig ? 1_500 : 500 + pick(4_000),
    batchMs: 200 + pick(2_000),
    limits: limitsOf(pick),
    bufferBytesMax: (10 + pick(20)) * MIB,
    concurrentCallsMax: 1 + pick(16),
  }))
}

function limitsOf(pick: (below: number) => number) {
  const recordsMax = pick(3) === 0 ? 20 + pick(100) : Number.POSITIVE_INFINITY
  return { bytesMax: pick(3) === 0 ? 100_000 + pick(1_000_000) : 1e9, recordsMax }
}
