// How long a restart takes to have its state again, against what anyone would have to do: decode
// the same keys and numbers with msgpackr, and put them into a Map.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import type { BatchGraph } from '../../src/state/batch-graph.ts'
import {
  type Answer,
  type BenchOptions,
  interleave,
  median,
  type Question,
  ratio,
  verdict,
} from '../harness.ts'
import type { ManyKeysArgs } from '../pipelines/many-keys.ts'
import { recover, writeCheckpoint } from './checkpoint.ts'

const LOAD_BATCHES = 20
const RATIO_MAX = 2
const LENGTH_BYTES = 4

interface TextColumn {
  readonly lengths: Uint32Array
  readonly data: Uint8Array
}

type Group = [id: string, shared: unknown, partitions: number, parts: [number, Uint8Array][]]

const envelope = new Packr({ useRecords: false })
const packr = new Packr({ useRecords: true, moreTypes: true, copyBuffers: true })

async function answer(options: BenchOptions): Promise<Answer> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-recovery-'))
  try {
    return await measure(options, dir)
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function measure(options: BenchOptions, dir: string): Promise<Answer> {
  const { records, seed } = options
  const args: ManyKeysArgs = { keys: records, loadBatches: LOAD_BATCHES, records, seed }
  const store = join(dir, 'state')
  await writeCheckpoint(store, args)
  const pairs = join(dir, 'pairs')
  await writeFile(pairs, packr.pack([...(await mapOfSnapshot(store))]))
  const sides = {
    'the restart': () => recover(store, args),
    'the same bytes, into a Map': () => mapOfSnapshot(store),
    'pairs, into a Map': () => mapOfPairs(pairs),
  }
  const restored = mapOfState(await sides['the restart']())
  for (const map of [restored, await mapOfSnapshot(store), await mapOfPairs(pairs)]) {
    if (map.size !== records) throw new Error(`Found ${map.size} keys of ${records}`)
  }
  const times = await interleave(options, 1, Object.values(sides))
  const [own = [], ...others] = times
  const fastest = others.reduce((a, b) => (median(a) <= median(b) ? a : b))
  return {
    rows: Object.keys(sides).map((side, i) => ({
      side,
      keys: records,
      'p50 ms': median(times[i] ?? []).toFixed(1),
      ...ratio(own, times[i] ?? [], 'the restart : it'),
    })),
    notes: [
      verdict('the restart : the faster of the two', median(own) / median(fastest), {
        atMost: RATIO_MAX,
      }),
    ],
  }
}

function mapOfState(graph: BatchGraph): Map<string, number> {
  const state = new Map<string, number>()
  const frozen = graph.freeze()
  for (let ended = false; !ended; ) {
    const { entry, last } = frozen.next()
    readEntry(entry, state)
    ended = last
  }
  return state
}

/** Reads the objects of the snapshot as docs/format.md describes them. */
async function mapOfSnapshot(dir: string): Promise<Map<string, number>> {
  const state = new Map<string, number>()
  const names = await readdir(dir, { recursive: true })
  for (const name of names.filter((one) => one.endsWith('.bin'))) {
    const file = await readFile(join(dir, name))
    let at = LENGTH_BYTES
    while (at < file.length) {
      const end = at + LENGTH_BYTES + file.readUInt32BE(at)
      readEntry(file.subarray(at + LENGTH_BYTES, end), state)
      at = end
    }
  }
  return state
}

function readEntry(entry: Uint8Array, state: Map<string, number>): void {
  for (const [, , , parts] of envelope.unpack(entry) as Group[]) {
    for (const [, bytes] of parts) {
      const piece = packr.unpack(bytes) as { keys: TextColumn; values: { data: Float64Array } }
      const { lengths, data } = piece.keys
      const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1')
      const values = piece.values.data
      let from = 0
      for (let i = 0; i < lengths.length; i++) {
        const end = from + (lengths[i] as number)
        state.set(text.slice(from, end), values[i] as number)
        from = end
      }
    }
  }
}

async function mapOfPairs(file: string): Promise<Map<string, number>> {
  return new Map(packr.unpack(await readFile(file)) as [string, number][])
}

export const recovery: Question = {
  asks:
    'How long a restart takes to have the running sums of many keys again (a log and a snapshot\n' +
    'in a folder), against decoding them with msgpackr and putting them into a Map, in turn.',
  defaults: { seed: 1, rounds: 15, records: 1_000_000 },
  answer,
}
