// Mistakes that a change could make, planted one at a time: a text of a source file is replaced,
// and the suite that is named must fail. A mutant whose text is not there any more fails itself: it
// has to follow the code.

/** What must catch a mutant: a test file, some of it, or a torture with so many cases. */
export type Catcher =
  | { readonly test: string; readonly only?: string }
  | { readonly torture: string; readonly count: number; readonly store?: string }

/** One replacement. */
export interface Replacement {
  readonly file: string
  /** Stands there as often as `times` says. */
  readonly find: string
  readonly replace: string
  /** @default 1 */
  readonly times?: number
}

/** A planted mistake. */
export interface Mutant {
  readonly name: string
  readonly replacements: readonly Replacement[]
  readonly caughtBy: Catcher
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a sink is written before its plan is durable and the epoch was checked',
    replacements: [
      {
        file: 'src/scheduler/batch-runner.ts',
        find: 'if (planned) await log?.planDurable(request.batchId)',
        replace: '',
        times: 2,
      },
    ],
    caughtBy: { torture: 'clock', count: 30 },
  },
  {
    name: 'an owner gives no signs of life',
    replacements: [
      {
        file: 'src/checkpoint/heartbeat.ts',
        find: 'isAlive?.() === false) return',
        replace: 'isAlive?.() !== true) return',
      },
    ],
    caughtBy: { torture: 'clock', count: 30 },
  },
  {
    name: 'the folder of a new object is not flushed',
    replacements: [
      {
        file: 'src/checkpoint/local-store.ts',
        find: 'await fs.link(tmp, path)\n      await syncFolder(dirname(path))',
        replace: 'await fs.link(tmp, path)',
      },
    ],
    caughtBy: { test: 'test/checkpoint/local-store-durability.test.ts' },
  },
  {
    name: 'nobody looks whether another process has taken over',
    replacements: [
      {
        file: 'src/checkpoint/fence.ts',
        find: '(slotName(slot + 1))) &&',
        replace: '(slotName(slot + 1))) ||',
      },
    ],
    caughtBy: { test: 'test/checkpoint/fencing.test.ts' },
  },
  {
    name: 'state takes the changes of a batch before its sinks have it',
    replacements: [
      {
        file: 'src/scheduler/engine.ts',
        find: 'if (overlaps) this.#merge(batchId, false)',
        replace: 'this.#merge(batchId, false)',
      },
    ],
    caughtBy: { test: 'test/state/timeouts.test.ts' },
  },
  {
    name: 'a redo has the partitions of a batch in another order',
    replacements: [
      {
        file: 'src/scheduler/receivers.ts',
        find: 'return read\n',
        replace: 'return read.map((parts) => parts?.toReversed())\n',
      },
    ],
    caughtBy: { test: 'test/property/chains.test.ts' },
  },
  {
    name: 'a batch is committed before its sinks have it',
    replacements: [
      {
        file: 'src/scheduler/batch-runner.ts',
        find: '    const receipts = await this.#write(batch, tally)\n',
        replace:
          '    if (planned) await this.#commit(request, [], ran.changes, tally)\n' +
          '    const receipts = await this.#write(batch, tally)\n',
      },
      {
        file: 'src/scheduler/batch-runner.ts',
        find: '    if (planned) await this.#commit(request, receipts, ran.changes, tally)\n',
        replace: '    void receipts\n    await log?.sync()\n',
      },
    ],
    caughtBy: { torture: 'crash-points', count: 250 },
  },
  {
    name: 'what a snapshot makes needless is deleted before the snapshot is durable',
    replacements: [
      {
        file: 'src/checkpoint/log.ts',
        find: 'await this.#writeDurably()\n    this.#writer.forgetBefore',
        replace: 'this.#writer.forgetBefore',
      },
    ],
    caughtBy: { test: 'test/checkpoint/crash.test.ts' },
  },
  {
    name: 'a child shard is read although its parents have not ended',
    replacements: [
      {
        file: 'src/receivers/kinesis/shard-table.ts',
        find: '.every((parent) => parent.ended)',
        replace: '.every(() => true)',
      },
      {
        file: 'src/receivers/kinesis/shard-table.ts',
        find: '.every((parent) => parent.endTaken)',
        replace: '.every(() => true)',
      },
    ],
    caughtBy: { test: 'test/receivers/kinesis/reshards.test.ts' },
  },
  {
    name: 'the receipts of the sinks are not in the log',
    replacements: [
      {
        file: 'src/scheduler/batch-runner.ts',
        find: 'const commit = { batchId, time, receipts,',
        replace: 'const commit = { batchId, time, receipts: receipts.slice(1),',
      },
    ],
    caughtBy: { test: 'test/scheduler/receipts.test.ts' },
  },
  {
    name: 'the checksum of a snapshot is not compared',
    replacements: [
      {
        file: 'src/checkpoint/snapshot-files.ts',
        find: 'read?.length === bytes && crc32(read) === crc',
        replace: 'read?.length === bytes && crc !== undefined',
      },
    ],
    caughtBy: { torture: 'flips', count: 1_000 },
  },
  {
    name: 'a start on a damaged checkpoint warns of nothing',
    replacements: [
      {
        file: 'src/checkpoint/log.ts',
        find: 'logger.warn({ checkpoint: store.location }, warning)',
        replace: 'logger.debug({ checkpoint: store.location }, warning)',
      },
    ],
    caughtBy: { torture: 'flips', count: 100 },
  },
  {
    name: 'what was planned and not committed is not redone',
    replacements: [
      {
        file: 'src/scheduler/open-engine.ts',
        find: '  await engine.redo(recovered.redo)\n',
        replace: '',
      },
    ],
    caughtBy: { torture: 'crash-points', count: 250 },
  },
  {
    name: 'the checksum of what a redo reads is not compared',
    replacements: [
      {
        file: 'src/workers/replay-check.ts',
        find: 'if (records === range.records && crc === range.crc) continue',
        replace: 'if (crc >= 0) continue',
      },
    ],
    caughtBy: { test: 'test/scheduler/replay-differs.test.ts' },
  },
  {
    name: 'the folder of the files sink is not flushed in the one above it',
    replacements: [
      {
        file: 'src/sinks/folder-sink.ts',
        find: 'await makeFolder(folder)',
        replace: 'await mkdir(folder, { recursive: true })',
      },
    ],
    caughtBy: { torture: 'sim', count: 30 },
  },
]
