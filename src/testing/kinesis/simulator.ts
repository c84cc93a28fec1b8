// The simulator as its users see it: the service, and the ways to call it.

import type { HttpHandler } from '@smithy/core/protocols'
import { type Clock, systemClock } from '../../clock.ts'
import type { LoggedCall } from './call-log.ts'
import type { Change } from './changes.ts'
import type { FaultKind, FaultRule } from './faults.ts'
import { HttpServer } from './http-server.ts'
import { Journal } from './journal.ts'
import type { KinesisLimits } from './kinesis-limits.ts'
import { wireHandler } from './request-handler.ts'
import { KinesisService } from './service.ts'
import type { ShardTraffic } from './traffic-book.ts'
import { Wire } from './wire.ts'

/** Options of a `KinesisSimulator`. */
export interface KinesisSimulatorOptions {
  /** Where its time comes from: retention, expiry of iterators, rates, delays.
   * @default the clock of the machine */
  readonly clock?: Clock
  /** Seed of the faults: the same seed and calls give the same faults.
   * @default 0 */
  readonly seed?: number
  /** What goes wrong with which calls; the first rule that hits a call counts.
   * @default nothing */
  readonly faults?: readonly FaultRule[]
  /** Limits that differ from those that AWS documents; 'off' for no throttling and no quota.
   * @default the documented limits */
  readonly limits?: Partial<KinesisLimits> | 'off'
  /** Milliseconds that a stream is CREATING, UPDATING or DELETING.
   * @default 0 */
  readonly streamDelayMs?: number
  /** Region in the ARNs.
   * @default 'us-east-1' */
  readonly region?: string
  /** Account in the ARNs, 12 digits.
   * @default '000000000000' */
  readonly accountId?: string
  /** How many of the newest calls `calls` keeps.
   * @default 10,000 */
  readonly callsMax?: number
  /** A folder that keeps streams and records, for the next simulator on it: also after the process
   * was killed. One simulator at a time; a second one throws a ConfigError.
   * @default nothing is kept */
  readonly path?: string
}

/** The Kinesis Data Streams service in this process, with its limits, faults on demand, and a clock
 * that a test can own.
 *
 * @example
 * ```ts
 * const clock = new ManualClock()
 * const simulator = new KinesisSimulator({ clock })
 * simulator.call('CreateStream', { StreamName: 'orders', ShardCount: 1 })
 * const record = { PartitionKey: 'a', Data: Buffer.from('1') }
 * simulator.call('PutRecord', { StreamName: 'orders', ...record })
 * assert.equal(simulator.shards[0]?.recordsIn, 1)
 * await simulator.close()
 * ```
 */
export class KinesisSimulator {
  /** The clock that was given. */
  readonly clock: Clock
  readonly #service: KinesisService
  readonly #wire: Wire
  readonly #servers: HttpServer[] = []
  readonly #journal: Journal | undefined
  #closed = false

  constructor(options: KinesisSimulatorOptions = {}) {
    this.clock = options.clock ?? systemClock
    const journal = options.path === undefined ? undefined : new Journal(options.path)
    this.#journal = journal
    const keep = journal && ((change: Change) => journal.append(change))
    this.#service = new KinesisService({ ...options, clock: this.clock, keep })
    this.#wire = new Wire(this.#service)
    journal?.load(this.#service.account, this.#service.nowMs())
  }

  /** The newest calls, oldest first; each is a copy of what was noted.
   *
   * For what holds over more calls than these, see `shards`. */
  get calls(): readonly LoggedCall[] {
    return this.#service.calls
  }

  /** How many calls came since the simulator was made. */
  get callCount(): number {
    return this.#service.callCount
  }

  /** What has passed through each shard since the simulator was made. */
  get shards(): readonly ShardTraffic[] {
    return this.#service.shards
  }

  /** How many calls each kind of fault has hit. */
  get faultCounts(): Readonly<Record<FaultKind, number>> {
    return this.#service.faults.counts
  }

  /** Carries out one call in this process, without the wire and without faults: to set up and to
   * look. `input` and the answer have AWS's shapes (`Data` is a Uint8Array, a timestamp a Date).
   * Throws a `ServiceFault` with the code that the service gives.
   *
   * @example
   * ```ts
   * const simulator = new KinesisSimulator({ clock: new ManualClock() })
   * simulator.call('CreateStream', { StreamName: 'orders', ShardCount: 2 })
   * const { Shards } = simulator.call('ListShards', { StreamName: 'orders' })
   * assert.equal((Shards as unknown[]).length, 2)
   * await simulator.close()
   * ```
   */
  call(operation: string, input: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#service.call(operation, input)
  }

  /** Listens on 127.0.0.1 and gives the `endpoint` for clients. One port speaks HTTP/1.1 and
   * HTTP/2 without TLS, in JSON and CBOR; any credentials will do.
   *
   * @param port a free one by default
   *
   * @example
   * ```ts
   * const simulator = new KinesisSimulator()
   * const endpoint = await simulator.listen()
   * const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
   * const client = new KinesisClient({ endpoint, region: 'us-east-1', credentials })
   * await client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 1 }))
   * assert.equal(simulator.calls[0]?.operation, 'CreateStream')
   * client.destroy()
   * await simulator.close()
   * ```
   */
  async listen(port = 0): Promise<string> {
    const server = await HttpServer.listen(this.#wire, port)
    this.#servers.push(server)
    return server.url
  }

  /** A `requestHandler` for the client of the AWS SDK that calls the simulator in this process: no
   * socket, no timer but those of the simulator's clock. Give the client `maxAttempts: 1` too, so
   * that it waits for no retry of its own.
   *
   * @example
   * ```ts
   * const simulator = new KinesisSimulator({ clock: new ManualClock() })
   * const client = new KinesisClient({
   *   region: 'us-east-1',
   *   credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
   *   maxAttempts: 1,
   *   requestHandler: simulator.requestHandler(),
   * })
   * await client.send(new CreateStreamCommand({ StreamName: 'orders', ShardCount: 1 }))
   * assert.equal(simulator.callCount, 1)
   * ```
   */
  requestHandler(): HttpHandler {
    return wireHandler(this.#wire, this.clock)
  }

  /** Frees the ports and ends the simulator. A second call does nothing.
   *
   * @example
   * ```ts
   * const simulator = new KinesisSimulator()
   * const endpoint = await simulator.listen()
   * await simulator.close()
   * await assert.rejects(fetch(endpoint))
   * ```
   */
  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.close()))
    if (this.#closed) return
    this.#closed = true
    this.#journal?.close()
  }
}
