// The comparison itself: the same calls to the simulator and the servers, and what no rule knows.

import type { KinesisClient } from '@aws-sdk/client-kinesis'
import fc from 'fast-check'
import { KinesisSimulator } from 'millrace/testing'
import type { RunningServer } from '../server-process.ts'
import { clientOf, type ServerKind } from '../servers.ts'
import { type Call, sequences } from './calls.ts'
import { type Difference, differencesOf } from './differences.ts'
import { NO_ANSWER, type Outcome, Player } from './player.ts'
import type { Rule, ServerName } from './rule.ts'
import { ruleFor } from './rules.ts'

const CALLS_MAX = 14

/** A server under comparison; it is started anew when it has stopped answering. */
class Contestant {
  readonly name: ServerName
  readonly #kind: ServerKind
  #server: RunningServer
  #client: KinesisClient
  player: Player

  private constructor(kind: ServerKind, server: RunningServer) {
    this.name = kind.name as ServerName
    this.#kind = kind
    this.#server = server
    this.#client = clientOf(server)
    this.player = new Player(this.#client)
  }

  static async start(kind: ServerKind): Promise<Contestant> {
    return new Contestant(kind, await kind.start())
  }

  /** Gives the outcomes up to the first call that had no answer. */
  async play(calls: readonly Call[]): Promise<Outcome[]> {
    const outcomes = await this.player.play(calls)
    const last = outcomes.at(-1)
    if (last === undefined || !('error' in last) || last.error !== NO_ANSWER) return outcomes
    await this.close()
    this.#server = await this.#kind.start()
    this.#client = clientOf(this.#server)
    this.player = new Player(this.#client)
    return outcomes
  }

  async close(): Promise<void> {
    this.#client.destroy()
    await this.#server.close()
  }
}

/** Compares the simulator with servers. */
export class DifferentialSuite {
  readonly #simulator: KinesisSimulator
  readonly #client: KinesisClient
  readonly #ours: Player
  readonly #servers: readonly Contestant[]
  /** How often each rule was met, on which server. */
  readonly met = new Map<Rule, Map<ServerName, number>>()

  private constructor(
    simulator: KinesisSimulator,
    client: KinesisClient,
    servers: readonly Contestant[],
  ) {
    this.#simulator = simulator
    this.#client = client
    this.#ours = new Player(client)
    this.#servers = servers
  }

  static async open(kinds: readonly ServerKind[]): Promise<DifferentialSuite> {
    // The others have no limits: what they would throttle is not compared.
    const simulator = new KinesisSimulator({ limits: 'off' })
    const endpoint = await simulator.listen()
    const client = clientOf({ endpoint, close: () => simulator.close() })
    const servers = await Promise.all(kinds.map((kind) => Contestant.start(kind)))
    return new DifferentialSuite(simulator, client, servers)
  }

  /** Calls that the simulator has answered. */
  get calls(): number {
    return this.#ours.calls
  }

  /** Plays the sequence of a seed; gives what no rule knows, as lines of text. */
  async run(seed: number): Promise<string[]> {
    const [calls = []] = fc.sample(sequences(CALLS_MAX), { seed, numRuns: 1 })
    const [ours, ...theirs] = await Promise.all(
      [this.#ours, ...this.#servers].map((one) => one.play(calls)),
    )
    return this.#servers.flatMap(({ name }, i) =>
      this.#compare(name, calls, ours ?? [], theirs[i] ?? []),
    )
  }

  async close(): Promise<void> {
    this.#client.destroy()
    await Promise.all([this.#simulator.close(), ...this.#servers.map((server) => server.close())])
  }

  #compare(
    server: ServerName,
    calls: readonly Call[],
    ours: readonly Outcome[],
    theirs: readonly Outcome[],
  ): string[] {
    const unknown: string[] = []
    for (const [i, call] of calls.slice(0, theirs.length).entries()) {
      const found = differencesOf(ours[i], theirs[i])
      for (const difference of found) {
        const rule = ruleFor(server, difference, call, calls.slice(0, i))
        if (rule === undefined) unknown.push(tellOf(server, difference, calls.slice(0, i + 1)))
        else this.#meet(rule, server)
      }
      // From here on the two are not in the same state, or a call that refers to a token refers to
      // another one.
      if (found.some(isParting)) break
    }
    return unknown
  }

  #meet(rule: Rule, server: ServerName): void {
    const met = this.met.get(rule) ?? new Map<ServerName, number>()
    met.set(server, (met.get(server) ?? 0) + 1)
    this.met.set(rule, met)
  }
}

function isParting({ path, ours, theirs }: Difference): boolean {
  if (path === 'NextShardIterator' || path === 'NextToken') return true
  return path === 'outcome' && (ours === 'answer' || theirs === 'answer')
}

function tellOf(
  server: string,
  { path, ours, theirs }: Difference,
  calls: readonly Call[],
): string {
  const made = calls.map(({ operation, input }) => `\n  ${operation} ${textOf(input)}`).join('')
  return `${server}, ${path}: ${ours} here, ${theirs} there, after${made}`
}

function textOf(input: object): string {
  return JSON.stringify(input, (_key, value: unknown) => {
    const bytes = value as { type?: string; data?: number[] } | null
    return bytes?.type === 'Buffer' ? Buffer.from(bytes.data ?? []).toString() : value
  })
}
