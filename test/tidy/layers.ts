// The order of src/: a file may import from its own row and from the rows above it, types included.

/** One row of the order. */
export interface Layer {
  readonly name: string
  /** Files (`errors.ts`) and folders (`batch/`) from src/. A file wins over a folder. */
  readonly holds: readonly string[]
  /** Pure rows are functions of their arguments: no I/O module, no clock, no randomness. */
  readonly pure?: true
  /** Rows of adapters: a file imports from its own folder and from rows above, so that no
   * adapter knows another. */
  readonly adapters?: true
}

/** From the top (knows nobody) to the bottom (known by nobody). A new file or folder of src/ is
 * added here, at the lowest row that those who need it allow. */
export const LAYERS: readonly Layer[] = [
  {
    name: 'foundations',
    holds: [
      ...['errors.ts', 'assert.ts', 'duration.ts', 'clock.ts', 'events.ts', 'task-scope.ts'],
      'service-calls.ts',
      'durable-folder.ts',
      'allowed-values.ts',
    ],
  },
  { name: 'batch', holds: ['batch/'], pure: true },
  {
    name: 'receiver contract',
    holds: [
      'receivers/receiver.ts',
      'receivers/block-buffer.ts',
      'receivers/positions.ts',
      'receivers/record-shares.ts',
    ],
  },
  { name: 'sink contract', holds: ['sinks/sink.ts'] },
  {
    name: 'checkpoint contract',
    holds: [
      'checkpoint/store.ts',
      'checkpoint/format.ts',
      'checkpoint/ledger.ts',
      'checkpoint/owner.ts',
      'checkpoint/snapshot-files.ts',
      'checkpoint/damage.ts',
      'checkpoint/recovery.ts',
      'checkpoint/fence.ts',
      'checkpoint/log-writer.ts',
      'checkpoint/flush-pace.ts',
      'checkpoint/slot-chain.ts',
      'checkpoint/segment-writer.ts',
      'checkpoint/group-writer.ts',
      'checkpoint/snapshot-draft.ts',
      'checkpoint/changed-pipeline.ts',
      'checkpoint/takeover.ts',
      'checkpoint/release.ts',
      'checkpoint/log-options.ts',
      'checkpoint/heartbeat.ts',
      'checkpoint/pulse.ts',
      'checkpoint/lease.ts',
      'checkpoint/log.ts',
    ],
  },
  { name: 'dstream', holds: ['dstream/'], pure: true },
  { name: 'plan', holds: ['plan/'], pure: true },
  { name: 'state', holds: ['state/'], pure: true },
  { name: 'workers', holds: ['workers/'] },
  { name: 'scheduler', holds: ['scheduler/'] },
  { name: 'adapters', holds: ['receivers/', 'checkpoint/', 'sinks/'], adapters: true },
  {
    name: 'wiring',
    holds: [
      'streaming-context.ts',
      'pipeline.ts',
      'import-pipeline.ts',
      'pipeline-graph.ts',
      'stop-on.ts',
      'start-options.ts',
      'stoppable-start.ts',
      'run.ts',
      'start.ts',
    ],
  },
  { name: 'root entry', holds: ['index.ts'] },
  { name: 'testing', holds: ['testing/'] },
]

/** What a pure row may import from Node: modules that compute and open nothing. */
export const PURE_NODE_MODULES: readonly string[] = [
  'node:assert',
  'node:buffer',
  'node:crypto',
  'node:util',
  'node:zlib',
]

/** What a pure row may import from npm. */
export const PURE_PACKAGES: readonly string[] = ['lru-cache', 'msgpackr', 'p-queue']

/** Packages that only the named folders of src/ may import: no other entry loads them. */
export const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['checkpoint/s3-store.ts'],
  '@aws-sdk/client-kinesis': ['receivers/kinesis/', 'testing/'],
  '@smithy/core': ['testing/'],
  '@smithy/node-http-handler': ['receivers/kinesis/', 'testing/'],
  pg: ['sinks/postgres/'],
  'pg-copy-streams': ['sinks/postgres/'],
}

/** The index in `LAYERS` of a path from src/, or -1 where the table does not place it. */
export function layerOf(path: string): number {
  const exact = LAYERS.findIndex((layer) => layer.holds.includes(path))
  if (exact !== -1) return exact
  return LAYERS.findIndex((layer) =>
    layer.holds.some((place) => place.endsWith('/') && path.startsWith(place)),
  )
}
