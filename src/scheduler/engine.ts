// One run of one pipeline: redoes what was planned and not committed, and then runs batches as it
// is told.

import type { Lease } from '../checkpoint/lease.ts'
import type { BatchLog, OwnerProbe, Recovered } from '../checkpoint/log.ts'
import type { CheckpointStore } from '../checkpoint/store.ts'
import { StreamingError } from '../errors.ts'
import { Tally } from '../task-scope.ts'
import type { BatchSources, Executor } from '../workers/executor.ts'
import type { OwnSinks } from '../workers/output-sinks.ts'
import { checkReplay } from '../workers/replay-check.ts'
import { BatchReport } from './batch-report.ts'
import type { BatchRequest, BatchRunner, LifeProbe, RanBatch } from './batch-runner.ts'
import { closeAll } from './closing.ts'
import { EndAtOnce } from './end-at-once.ts'
import type { Threads } from './execution.ts'
import { type Opened, openEngine, underWayOf } from './open-engine.ts'
import type { OpenOutput } from './outputs.ts'
import type { Receivers, ReceiversParts } from './receivers.ts'
import type { Snapshots } from './snapshots.ts'
import type { UnderWay } from './under-way.ts'

/** What a run is made of. */
export interface EngineParts extends ReceiversParts {
  readonly store: CheckpointStore | undefined
  readonly sinks: OwnSinks
  readonly takeover: 'wait' | 'force' | 'refuse'
  /** Zero time of a fresh pipeline, epoch milliseconds. */
  readonly zeroTime: () => number
  /** The threads to use. @default none: all runs in this one */
  readonly threads?: Threads | undefined
  /** Run each batch twice and compare. @default false */
  readonly verify?: boolean
  readonly probe?: LifeProbe
  readonly owner?: OwnerProbe
}

/** A commit waits no longer than this for the plan that it is written with. */
const COMMIT_WAIT_MS = 10_000

/** A run that is open: it has redone what the log asked for, and runs batches as it is told. */
export class Engine {
  readonly zeroTime: number
  readonly epoch: number
  /** Epoch milliseconds that never go back. */
  readonly now: () => number
  #lastBatchId: number
  #lastEndedAt = 0
  /** The newest batch that ran or was skipped; where batches overlap, it may not have ended. */
  #newestBatchId: number
  #openedAt: number
  #unsynced = false
  readonly #underWay: UnderWay
  /** What the next batch takes, where it was due before the one before had run. */
  #ahead: { readonly batchId: number; readonly sources: Promise<BatchSources> } | undefined
  readonly #accumulators = new Tally()
  /** Of the batches that were begun and have not ended. */
  readonly #reports = new Set<BatchReport>()
  readonly #givenUp: AbortController
  readonly #parts: EngineParts
  readonly #log: BatchLog | undefined
  readonly #lease: Lease | undefined
  readonly #executor: Executor
  /** Undefined without a log. */
  readonly #snapshots: Snapshots | undefined
  readonly #receivers: Receivers
  readonly #outputs: readonly OpenOutput[]
  readonly #runner: BatchRunner

  private constructor(parts: EngineParts, opened: Opened) {
    this.#parts = parts
    this.#log = opened.log
    this.#lease = opened.lease
    this.#executor = opened.executor
    this.#snapshots = opened.snapshots
    this.#receivers = opened.receivers
    this.#outputs = opened.outputs
    this.#runner = opened.runner
    this.#givenUp = opened.givenUp
    this.zeroTime = opened.recovered.zeroTime
    this.epoch = opened.log?.epoch ?? 0
    this.#lastBatchId = opened.recovered.lastBatchId
    this.#newestBatchId = this.#lastBatchId
    this.now = opened.now
    this.#underWay = underWayOf(parts, opened)
    if (!this.#underWay.sharesWrites) this.hurry()
    this.#openedAt = opened.now()
    for (const { name } of parts.graph.accumulators) {
      this.#accumulators.add(name, opened.recovered.accumulators.get(name) ?? 0)
    }
  }

  /** Opens everything and redoes what the log asks for; reading begins when it returns. */
  static async open(parts: EngineParts): Promise<Engine> {
    const undo: (() => Promise<void>)[] = []
    try {
      const engine = await openEngine(parts, undo, (opened) => new Engine(parts, opened))
      parts.signal.throwIfAborted()
      return engine
    } catch (error) {
      for (const close of undo.reverse()) {
        await close().catch((err: unknown) => {
          parts.logger.warn({ err }, 'Cannot close what a failed start had opened')
        })
      }
      throw error
    }
  }

  /** The id of the newest batch that has ended or was skipped. */
  get lastBatchId(): number {
    return this.#lastBatchId
  }

  /** When the newest batch ended, epoch milliseconds; 0 before. */
  get lastEndedAt(): number {
    return this.#lastEndedAt
  }

  /** The id of the batch that is cut next. */
  get nextBatchId(): number {
    return this.#newestBatchId + 1
  }

  /** The time of a batch. */
  timeOf(batchId: number): number {
    return this.zeroTime + batchId * this.#parts.settings.batchIntervalMs
  }

  /** True if every receiver has what had arrived before the start: it may not be in a batch yet. */
  get caughtUp(): boolean {
    return this.#receivers.caughtUp
  }

  /** Bytes that wait in the receivers. */
  get bufferedBytes(): number {
    return this.#receivers.bufferedBytes
  }

  /** The largest lag of the receivers that know theirs. */
  get lagMs(): number | undefined {
    return this.#receivers.lagMs
  }

  /** The total of each accumulator. */
  get accumulators(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#accumulators.entries())
  }

  /** Cuts and runs the next batch; `unhurried` where none follows that it could make late: none is
   * cut ahead then. Where workers run it and the next one is due, this resolves once it ran: it is
   * written and committed while the next one runs. */
  async runNext(unhurried = false): Promise<void> {
    const batchId = this.nextBatchId
    const { sources } = this.#ahead ?? { sources: this.#cut(batchId, unhurried) }
    this.#ahead = undefined
    const taken = await sources
    await this.#underWay.room()
    const another = !unhurried && this.#executor.overlaps && this.#isLate(batchId)
    if (another && this.#mayOverlap(batchId)) {
      this.#ahead = { batchId: batchId + 1, sources: this.#cut(batchId + 1, unhurried) }
      this.#ahead.sources.catch(() => undefined)
    }
    await this.#run(batchId, taken, false)
  }

  /** A batch's time as the wall clock shows it now; it may have been set since the start. */
  #wallTimeOf(batchId: number): number {
    return this.timeOf(batchId) + (this.#parts.clock.wallMs() - this.now())
  }

  /** Runs again what an earlier run planned and did not commit. */
  async redo(plans: Recovered['redo']): Promise<void> {
    for (const plan of plans) {
      this.#parts.signal.throwIfAborted()
      await this.#run(plan.batchId, await this.#receivers.replay(plan, checkReplay), true)
    }
  }

  /** Begins to read. */
  begin(): void {
    this.#receivers.run()
    this.#openedAt = this.now()
  }

  /** Skips to the batch before `batchId`: windows and timeouts advance, nothing runs. */
  async skipTo(batchId: number): Promise<void> {
    const from = this.nextBatchId
    if (batchId <= from) return
    await this.#log?.skip(from, batchId - 1)
    this.#parts.events.emit({ kind: 'batches-skipped', from, to: batchId - 1 })
    this.#lastBatchId = batchId - 1
    this.#newestBatchId = batchId - 1
  }

  /** Calls to the store that failed and were made again. */
  get storeRetries(): number {
    return this.#parts.store?.retries ?? 0
  }

  /** Lets batches wait for each other's plans no longer: the run ends. */
  hurry(): void {
    this.#log?.hurry()
  }

  /** Called when no batch is due before `time`. The last commit becomes durable with the plan of
   * that batch, unless it would have to wait for long. */
  async rest(time: number): Promise<void> {
    if (!this.#underWay.sharesWrites) await this.#underWay.ended()
    if (time - this.now() > COMMIT_WAIT_MS) await this.settle()
  }

  /** Waits for the batches under way, and makes the last commit durable. */
  async settle(): Promise<void> {
    await this.#underWay.ended()
    if (!this.#unsynced) return
    this.#unsynced = false
    await this.#log?.sync()
  }

  /** Stops reading; what was received waits in the buffers. */
  stopReceivers(): Promise<void> {
    return this.#receivers.stop()
  }

  /** Resolves when the batches under way have ended, however; no other may be begun. */
  async ended(): Promise<void> {
    this.hurry()
    await Promise.allSettled([this.#underWay.settled(), this.#ahead?.sources])
  }

  /** Gives up what is under way: from now on nothing of it is written or committed. What a sink has
   * begun to write goes on there. */
  giveUp(): void {
    const batchIds = [...this.#reports].map(({ info }) => info.batchId)
    const error = givenUp(batchIds)
    this.#givenUp.abort(error)
    for (const report of this.#reports) report.failed(error)
    this.#reports.clear()
    this.#parts.logger.warn({ batchIds }, error.message)
  }

  /** Closes everything, and releases the checkpoint: the next start does not wait for this run.
   * Rejects with the first failure when all have been tried. What does not end is left behind where
   * the run is to end at once. */
  async close(atOnce = new EndAtOnce(this.#parts.clock)): Promise<void> {
    if (!this.#givenUp.signal.aborted) await this.ended()
    const { logger, threads } = this.#parts
    await closeAll(
      {
        receivers: this.#receivers,
        outputs: this.#outputs,
        snapshots: this.#snapshots,
        executor: this.#executor,
        lease: this.#lease,
        log: this.#log,
        logger,
        threads,
      },
      atOnce,
    )
  }

  async #run(batchId: number, sources: BatchSources, redo: boolean): Promise<void> {
    const request = { batchId, time: this.timeOf(batchId), sources, redo }
    const report = this.#report(request)
    this.#reports.add(report)
    report.started()
    const reported = <R>(work: Promise<R>): Promise<R> =>
      work.catch((error: unknown) => {
        if (this.#reports.delete(report)) report.failed(error)
        throw error
      })
    const ran = await reported(this.#runAndStage(request, report))
    this.#newestBatchId = batchId
    const overlaps = !redo && this.#mayOverlap(batchId)
    if (overlaps) this.#merge(batchId, false)
    const finish = () => this.#finish(ran, report, overlaps)
    // Where the batch before fails, this one does without having been written.
    const end = reported(this.#underWay.add(report.info.bytes, finish))
    if (overlaps) {
      end.catch(this.#parts.fail)
      return
    }
    try {
      await end
    } catch (error) {
      this.#newestBatchId = batchId - 1
      this.#underWay.forget()
      throw error
    }
  }

  async #runAndStage(request: BatchRequest, { info }: BatchReport): Promise<RanBatch> {
    const ran = await this.#runner.run(request, info)
    // Sinks have one batch at a time.
    if (this.#outputs.some(({ kind }) => kind === 'tasks')) await this.#underWay.ended()
    return this.#runner.stage(ran)
  }

  /** Makes what a batch changed part of the state; `committed`: its commit is in the log. */
  #merge(batchId: number, committed: boolean): void {
    this.#executor.merge()
    this.#snapshots?.merged(batchId, committed)
  }

  /** True if the batch after `batchId` may run while that one is written: no failure drops one
   * batch alone. Where they do not share a write, there is no need before that batch is due. */
  #mayOverlap(batchId: number): boolean {
    if (this.#parts.settings.onBatchError !== 'stop') return false
    if (this.#underWay.sharesWrites) return this.#underWay.hasRoomForBytes
    return this.#executor.overlaps && this.#isLate(batchId)
  }

  /** True if the batch after `batchId` is due. */
  #isLate(batchId: number): boolean {
    return this.now() >= this.timeOf(batchId + 1)
  }

  #cut(batchId: number, unhurried: boolean): Promise<BatchSources> {
    const arrived = this.#isLate(batchId) ? { arrivedBy: this.#wallTimeOf(batchId) } : {}
    return this.#receivers.cut(batchId, { unhurried, ...arrived })
  }

  /** Writes and commits a batch that ran; `merged`: its changes are part of the state already. */
  async #finish(ran: RanBatch, report: BatchReport, merged: boolean): Promise<void> {
    const { logged, tally } = await this.#runner.finish(ran)
    if (merged) this.#snapshots?.committed(ran.request.batchId)
    else this.#merge(ran.request.batchId, true)
    this.#lastBatchId = ran.request.batchId
    this.#lastEndedAt = this.now()
    await this.#parts.probe?.('committed', ran.request.batchId)
    if (logged) this.#unsynced = true
    else await this.#syncWithoutPlan()
    this.#reports.delete(report)
    this.#accumulators.merge(tally)
    const accumulators = Object.fromEntries(tally.entries())
    const ended = report.completed({ logged, lagMs: this.lagMs, accumulators })
    this.#receivers.batchCompleted(ended)
  }

  /** The batch before waited for a plan to be written with, and there is none. */
  async #syncWithoutPlan(): Promise<void> {
    if (!this.#unsynced) return
    this.#unsynced = false
    const synced = this.#log?.syncShared()
    if (this.#underWay.sharesWrites) synced?.catch(this.#parts.fail)
    else await synced
  }

  #report({ batchId, time, sources: cut, redo }: BatchRequest): BatchReport {
    const { events } = this.#parts
    const sources = this.#receivers.infoOf(cut)
    const records = sources.reduce((n, source) => n + source.records, 0)
    const bytes = sources.reduce((n, source) => n + source.bytes, 0)
    const submissionTime = Math.min(this.now(), Math.max(time, this.#openedAt))
    const { now, epoch } = this
    const figures = { records, bytes, sources, redo, submissionTime }
    return new BatchReport({ events, now }, { batchId, time, epoch, ...figures })
  }
}

function givenUp(batchIds: readonly number[]): StreamingError {
  const what = batchIds.length === 0 ? 'the next batch' : `batch ${batchIds.join(', ')}`
  return new StreamingError(
    'BATCH_GIVEN_UP',
    `Cannot wait for ${what}: the run ends at once, and it did not end in time; look at what ` +
      `sources, closures and sinks wait for`,
    { retryable: true },
  )
}
