// kill -9 of the whole engine process, again and again, while a producer sends: Kinesis (the
// simulator, in a process of its own) to a window, state and a join, to files and PostgreSQL. The
// process says its phase; the parent aims at the phase that was hit least. At the end files and
// tables are compared with what the producer wrote down.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasPostgres, type PostgresServer, startPostgres } from '../integration/postgres-server.ts'
import { EngineChild } from './child-process.ts'
import { checkKilled, checkTables } from './kill-check.ts'
import { TABLES } from './kill-pipeline.ts'
import { KillProducer } from './kill-producer.ts'
import { MotoServer } from './moto-server.ts'
import { pickFrom } from './picks.ts'
import type { CheckpointPlace, KillProcessArgs, Phase } from './process-protocol.ts'
import type { Suite, Torture } from './torture.ts'

const PHASES: readonly Phase[] = ['idle', 'planned', 'running', 'sink', 'commit']
const SCRIPT = 'kill-process.ts'
const BATCHES_BETWEEN = 3
const DELAY_MS_MAX = 8
/** Of all kills, each phase gets at least this. */
const SHARE_MIN = 0.1
const SHARE_KILLS_MIN = 10

export const kill: Torture = {
  name: 'kill',
  what: 'kills the engine in each phase of a batch, from Kinesis to files and PostgreSQL',
  stores: ['local', 's3'],
  counts: { ci: 15, once: 300 },
  async open(store): Promise<Suite> {
    const home = await mkdtemp(join(tmpdir(), 'millrace-kill-'))
    const moto = store === 's3' ? await MotoServer.start() : undefined
    const tables = await makeTables()
    const place = moto?.place('kill') ?? join(home, 'state')
    const victim = await Victim.start(home, place, tables)
    return {
      run: (seed) => victim.kill(seed),
      async close() {
        try {
          await victim.check()
        } finally {
          victim.end()
          await moto?.close()
          await tables?.close()
          await rm(home, { recursive: true, force: true })
        }
      },
    }
  },
}

/** A database with the tables; undefined where PostgreSQL is not installed. */
async function makeTables(): Promise<PostgresServer | undefined> {
  if (!hasPostgres()) return undefined
  const server = await startPostgres()
  for (const table of TABLES) await server.client.query(table)
  return server
}

/** The engine, and who feeds it. */
class Victim {
  readonly #simulator: EngineChild<string>
  readonly #producer: KillProducer
  readonly #args: Omit<KillProcessArgs, 'until' | 'hold'>
  readonly #tables: PostgresServer | undefined
  readonly #hits = new Map<Phase | 'starting', number>()
  #child: EngineChild<KillProcessArgs> | undefined

  private constructor(
    simulator: EngineChild<string>,
    args: Omit<KillProcessArgs, 'until' | 'hold'>,
    tables: PostgresServer | undefined,
  ) {
    this.#tables = tables
    this.#simulator = simulator
    this.#args = args
    this.#producer = new KillProducer(args.endpoint)
  }

  static async start(
    home: string,
    checkpoint: CheckpointPlace,
    tables: PostgresServer | undefined,
  ): Promise<Victim> {
    await mkdir(join(home, 'streams'))
    const simulator = new EngineChild('simulator-process.ts', join(home, 'streams'))
    const said = await simulator.hear(({ kind }) => kind === 'listening')
    const endpoint = 'endpoint' in said ? said.endpoint : ''
    const database = tables?.url
    return new Victim(simulator, { endpoint, checkpoint, out: join(home, 'out'), database }, tables)
  }

  /** Kills one process; gives the phase that it was in. */
  async kill(seed: number): Promise<string> {
    const pick = pickFrom(seed)
    const phase = this.#leastHit()
    const batch = 1 + pick(BATCHES_BETWEEN)
    // Half of them are held at the beginning of the phase, the others are hit on their way.
    const held = pick(2) === 0
    const child = this.#start({ until: 'stopped', ...(held ? { hold: { phase, batch } } : {}) })
    if (held) await child.hear(({ kind }) => kind === 'holding')
    else {
      await this.#untilPhase(child, phase, batch)
      const delayMs = pick(DELAY_MS_MAX)
      if (delayMs > 0) await new Promise((resume) => setTimeout(resume, delayMs))
    }
    child.signal('SIGKILL')
    await child.gone()
    const ended = child.said.find(({ kind }) => kind === 'ended')
    if (ended !== undefined) throw new Error(`The engine ended: ${JSON.stringify(ended)}`)
    const last = child.said.findLast(({ kind }) => kind === 'phase')
    const hit = last !== undefined && 'phase' in last ? last.phase : 'starting'
    this.#hits.set(hit, (this.#hits.get(hit) ?? 0) + 1)
    return hit
  }

  /** Lets the engine catch up, and compares its files with what was sent. */
  async check(): Promise<void> {
    await this.#producer.stop()
    const child = this.#start({ until: 'caught-up' })
    const ended = await child.hear(({ kind }) => kind === 'ended')
    if ('code' in ended && ended.code !== undefined) throw new Error(ended.message)
    checkKilled(this.#args.out, this.#producer.ordered, this.#producer.paid)
    if (this.#tables !== undefined) await checkTables(this.#tables.client, this.#producer.ordered)
    this.#checkShares()
  }

  end(): void {
    this.#child?.signal('SIGKILL')
    this.#simulator.signal('SIGKILL')
    this.#producer.stop().catch(() => undefined)
  }

  #start(how: Pick<KillProcessArgs, 'until' | 'hold'>): EngineChild<KillProcessArgs> {
    this.#child = new EngineChild<KillProcessArgs>(SCRIPT, { ...this.#args, ...how })
    return this.#child
  }

  #leastHit(): Phase {
    const of = (phase: Phase) => this.#hits.get(phase) ?? 0
    return PHASES.reduce((least, phase) => (of(phase) < of(least) ? phase : least))
  }

  async #untilPhase(child: EngineChild<KillProcessArgs>, phase: Phase, times: number) {
    let seen = 0
    for (let n = 0; n < times; n += 1) {
      const before = seen
      await child.hear((said) => 'phase' in said && said.phase === phase, before)
      seen =
        before +
        1 +
        child.said.slice(before).findIndex((said) => 'phase' in said && said.phase === phase)
    }
  }

  #checkShares(): void {
    const kills = [...this.#hits.values()].reduce((sum, n) => sum + n, 0)
    if (kills < SHARE_KILLS_MIN) return
    for (const phase of PHASES) {
      const hits = this.#hits.get(phase) ?? 0
      if (hits >= kills * SHARE_MIN) continue
      throw new Error(`Phase "${phase}" must get ${SHARE_MIN} of ${kills} kills, got ${hits}`)
    }
  }
}
