// One run of the demo: server and producer in this process, the engine in a child.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { check, passed } from './check.ts'
import { claimFolder, type DemoFolder, demoFolder, emptyFolder } from './demo-folder.ts'
import { EngineProcess, type KillHit } from './engine-process.ts'
import type { EngineEvent } from './engine-protocol.ts'
import { Figures } from './figures.ts'
import { grouped, type View } from './frame.ts'
import { resolve } from './in-doubt.ts'
import { type PlannedKill, planKills } from './kill-plan.ts'
import type { DemoOptions } from './options.ts'
import { OutputTail } from './output-tail.ts'
import { pause } from './pause.ts'
import { Producer } from './producer.ts'
import type { Screen } from './screen.ts'
import { SentRecord } from './sent-record.ts'
import { CREDENTIALS, checkStore, REGION, StoreHeldError, StreamServer } from './stream-server.ts'
import { engineLine, killLine, verdictLines } from './verdict.ts'

const REFRESH_MS = 500
/** A kill that waits for a batch waits no longer than this. */
const AIM_MS_MAX = 3_000
/** With no word counted for so long, what is missing will not come. */
const PATIENCE_MS = 15_000

/** Runs the demo until its time is up or `interrupt` aborts. Gives the exit code. */
export async function runDemo(
  options: DemoOptions,
  screen: Screen,
  interrupt: AbortSignal,
): Promise<number> {
  const folder = demoFolder(options.folder)
  await openFolder(folder, options.fresh)
  const demo = await Demo.open(folder, options, screen)
  try {
    await demo.run(interrupt)
  } finally {
    await demo.close()
  }
  if (interrupt.aborted || options.seconds === undefined) {
    for (const line of demo.farewell()) screen.log(line)
    return 0
  }
  screen.log('')
  screen.log(`Checking ${folder.root}: everything since the folder was made`)
  const report = await check(folder)
  for (const line of verdictLines(report, demo.kills)) screen.log(line)
  return passed(report) ? 0 : 1
}

async function openFolder(folder: DemoFolder, fresh: boolean): Promise<void> {
  await claimFolder(folder)
  if (!fresh) return
  try {
    await checkStore(folder.kinesis)
  } catch (error) {
    // A store that is broken is no reason to keep it; one that another demo uses is.
    if (error instanceof StoreHeldError) throw error
  }
  await emptyFolder(folder)
}

class Demo {
  readonly kills: KillHit[] = []
  readonly #options: DemoOptions
  readonly #screen: Screen
  readonly #server: StreamServer
  readonly #client: KinesisClient
  readonly #sent: SentRecord
  readonly #producer: Producer
  readonly #engine: EngineProcess
  readonly #tail: OutputTail
  readonly #figures = new Figures()
  readonly #broken = Promise.withResolvers<never>()
  #status = ''
  #startedMs = performance.now()
  #killedMs: number | undefined
  #redone: number[] = []

  private constructor(
    folder: DemoFolder,
    options: DemoOptions,
    screen: Screen,
    server: StreamServer,
    sent: SentRecord,
  ) {
    this.#options = options
    this.#screen = screen
    this.#server = server
    this.#client = server.client()
    this.#sent = sent
    this.#producer = new Producer(this.#client, sent, (words) => this.#figures.put(words))
    this.#tail = new OutputTail(folder)
    const wordCount = {
      endpoint: server.endpoint,
      region: REGION,
      credentials: CREDENTIALS,
      folder: folder.root,
    }
    this.#engine = new EngineProcess(
      { checkpoint: folder.state, wordCount },
      { onEvent: (event) => this.#observe(event), onLine: (line) => screen.log(engineLine(line)) },
    )
    this.#broken.promise.catch(() => undefined)
    this.#engine.failed.catch(this.#broken.reject)
  }

  static async open(folder: DemoFolder, options: DemoOptions, screen: Screen): Promise<Demo> {
    const server = await StreamServer.open(folder.kinesis)
    const sent = await SentRecord.open(folder.sent)
    const client = server.client()
    const settled = await resolve(sent, client)
    client.destroy()
    if (settled !== undefined) {
      screen.log(`The last put before had no answer: ${settled} of its records are in the stream`)
    }
    return new Demo(folder, options, screen, server, sent)
  }

  /** Feeds the stream, then waits for the engine and stops it. */
  async run(interrupt: AbortSignal): Promise<void> {
    this.#greet()
    const refresh = setInterval(() => this.#refresh(), REFRESH_MS)
    try {
      this.#engine.start()
      await this.#feed(interrupt)
      if (this.#options.seconds !== undefined) await this.#catchUp(interrupt)
      this.#status = 'Stopping: what was received is processed'
      this.#refresh()
      await this.#engine.stop()
      await this.#tail.poll()
    } finally {
      clearInterval(refresh)
    }
    this.#status = ''
    this.#draw()
  }

  async close(): Promise<void> {
    this.#screen.settle()
    this.#engine.abandon()
    this.#client.destroy()
    await this.#server.close()
    await this.#sent.close()
  }

  /** What to say at the end of a run without a check. */
  farewell(): string[] {
    const sent = this.#sent.settled.totalWords
    const rest = sent - this.#tail.words
    const state =
      rest === 0 ? 'all of them are counted' : `${grouped(rest)} of them wait in the stream`
    return [
      `Stopped. ${grouped(sent)} words were sent, ${state}.`,
      'The next start goes on from there.',
    ]
  }

  #greet(): void {
    const { folder, seed, seconds } = this.#options
    const before = this.#sent.settled.totalWords
    const goesOn = before === 0 ? '' : `; goes on after ${grouped(before)} words`
    this.#screen.log(`Stream of 4 shards at ${this.#server.endpoint}, files in ${folder}${goesOn}`)
    if (this.#options.kills > 0)
      this.#screen.log(`The moments of the kills are drawn from --seed ${seed}`)
    this.#status = seconds === undefined ? 'Ctrl-C stops; the next start goes on from there' : ''
  }

  /** Sends until the time is up and every kill has struck, or until something breaks. */
  async #feed(interrupt: AbortSignal): Promise<void> {
    this.#startedMs = performance.now()
    const done = new AbortController()
    const ending = AbortSignal.any([done.signal, interrupt])
    const { kills, seconds, seed } = this.#options
    const plan = seconds === undefined ? [] : planKills(kills, seconds, seed)
    const feeding = this.#producer.run(ending)
    const enough = Promise.all([this.#killAll(plan, ending), this.#timeIsUp(ending)])
    try {
      await Promise.race([enough, feeding, this.#broken.promise])
    } finally {
      done.abort()
      await Promise.allSettled([feeding, enough])
    }
    await feeding
  }

  async #timeIsUp(ending: AbortSignal): Promise<void> {
    const { seconds } = this.#options
    while (!ending.aborted) {
      const leftMs = (seconds ?? Number.POSITIVE_INFINITY) * 1_000 - this.#elapsedMs()
      if (leftMs <= 0) return
      if (seconds !== undefined)
        this.#status = `${Math.ceil(leftMs / 1_000)} s left, then the check`
      await pause(Math.min(leftMs, 1_000), ending)
    }
  }

  async #killAll(plan: readonly PlannedKill[], ending: AbortSignal): Promise<void> {
    for (const kill of plan) {
      await pause(kill.afterStartMs ?? kill.atMs - this.#elapsedMs(), ending)
      if (kill.aim !== undefined) {
        await this.#engine.reach(kill.aim, AIM_MS_MAX, ending)
        await pause(kill.delayMs, ending)
      }
      if (ending.aborted) return
      await this.#killOnce()
    }
  }

  async #killOnce(): Promise<void> {
    const atMs = this.#elapsedMs()
    const hit = await this.#engine.kill()
    this.#killedMs = performance.now()
    this.#redone = []
    this.#engine.start()
    this.kills.push(hit)
    this.#screen.log(killLine(hit, this.kills.length, this.#options.kills, atMs))
  }

  /** Waits until as many words are counted as were sent, or until that does not come nearer. */
  async #catchUp(interrupt: AbortSignal): Promise<void> {
    this.#status = 'Everything is sent; waiting until it is counted'
    let words = -1
    let sinceMs = performance.now()
    while (!interrupt.aborted && this.#tail.words < this.#sent.settled.totalWords) {
      if (this.#tail.words !== words) sinceMs = performance.now()
      else if (performance.now() - sinceMs > PATIENCE_MS) return
      words = this.#tail.words
      await Promise.race([pause(REFRESH_MS / 2, interrupt), this.#broken.promise])
      await this.#tail.poll()
    }
  }

  #observe(event: EngineEvent): void {
    if (event.kind === 'checkpoint-recovered') this.#redone = [...event.redoBatchIds]
    if (event.kind !== 'batch-completed') return
    if (event.redo && !this.#redone.includes(event.batchId)) this.#redone.push(event.batchId)
    this.#figures.completed(event)
    if (!event.redo) this.#sayBack()
    this.#refresh()
  }

  #sayBack(): void {
    if (this.#killedMs === undefined) return
    const seconds = ((performance.now() - this.#killedMs) / 1_000).toFixed(1)
    const again = this.#redone.length === 0 ? '' : `; run again: batch ${this.#redone.join(', ')}`
    this.#screen.log(`          the next engine goes on after ${seconds} s${again}`)
    this.#killedMs = undefined
  }

  #refresh(): void {
    this.#tail.poll().then(() => this.#draw(), this.#broken.reject)
  }

  #draw(): void {
    this.#screen.show(this.#view())
  }

  #view(): View {
    const last = this.#figures.last
    return {
      status: this.#status,
      batchId: last?.batchId,
      recordsPerSecond: this.#figures.recordsPerSecond(),
      lagMs: this.#figures.lagMs(this.#tail.words),
      schedulingDelayMs: last?.schedulingDelayMs ?? 0,
      processingDelayMs: last?.processingDelayMs ?? 0,
      wordsSent: this.#sent.settled.totalWords,
      wordsCounted: this.#tail.words,
      speaker: this.#producer.speaker,
      kills: this.kills.length,
      killsPlanned: this.#options.kills,
      top: this.#tail.top,
    }
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs
  }
}
