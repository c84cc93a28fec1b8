import type { Clock } from '../clock.ts'
import type { Logger } from '../events.ts'
import type { PartitionPositions } from '../receivers/receiver.ts'
import type { CommitRecord, Owner, PlanRecord } from './format.ts'
import type { CheckpointStore } from './store.ts'

export type { CommitRecord, Owner, PlanRecord } from './format.ts'

/** Tells who this process is and whether another one lives. */
export interface OwnerProbe {
  readonly current: Owner
  /** Undefined where it cannot be told: the owner is on another host. */
  isAlive(owner: Owner): boolean | undefined
}

/** What a start finds in a checkpoint. */
export interface Recovered {
  readonly fresh: boolean
  readonly zeroTime: number
  readonly epoch: number
  readonly previousPlanHash: string | undefined
  readonly stateful: readonly string[]
  readonly lastBatchId: number
  readonly snapshot: { readonly batchId: number; readonly bytes: Uint8Array } | undefined
  readonly changes: readonly {
    readonly batchId: number
    readonly time: number
    readonly changes: Uint8Array
  }[]
  readonly redo: readonly PlanRecord[]
  readonly positions: ReadonlyMap<number, PartitionPositions>
  readonly cutBytes: number
  readonly warnings: readonly string[]
}

export interface LogOptions {
  readonly store: CheckpointStore
  readonly pipeline: string
  readonly batchIntervalMs: number
  readonly planHash: string
  readonly stateful: readonly string[]
  readonly zeroTime: () => number
  readonly takeover: 'wait' | 'force' | 'refuse'
  readonly clock: Clock
  readonly logger: Logger
  readonly snapshotEvery?: number
  readonly segmentBytesMax?: number
  readonly leaseMs?: number
  readonly host?: OwnerProbe
}

export class BatchLog {
  readonly epoch: number

  private constructor(epoch: number) {
    this.epoch = epoch
  }

  static open(_options: LogOptions): Promise<{ log: BatchLog; recovered: Recovered }> {
    return Promise.reject(new Error('not written yet'))
  }

  plan(_record: PlanRecord): Promise<void> {
    return Promise.resolve()
  }

  commit(_record: CommitRecord): Promise<void> {
    return Promise.resolve()
  }

  skip(_from: number, _to: number): Promise<void> {
    return Promise.resolve()
  }

  resolved(_sourceId: number, _positions: PartitionPositions): Promise<void> {
    return Promise.resolve()
  }

  sync(): Promise<void> {
    return Promise.resolve()
  }

  snapshotDue(): boolean {
    return false
  }

  snapshot(_batchId: number, _bytes: Uint8Array): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
