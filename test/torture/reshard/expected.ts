// What must be in the outputs, by folds over what the producer wrote: no code of the engine.

import { type Arrived, COUNTED, JOINED, OUTPUTS, type OutputName, STREAMS } from './two-streams.ts'

/** The records of each output, by batch id. */
export type Outputs = Readonly<Record<OutputName, ReadonlyMap<number, readonly unknown[]>>>

/** Throws unless each number below `sent` of a stream came once, and those of a key in order. */
export function checkArrivals(
  stream: string,
  batches: ReadonlyMap<number, readonly unknown[]>,
  keys: readonly string[],
): void {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  for (const [batchId, records] of inOrder(batches)) {
    for (const { key, number } of records as readonly Arrived[]) {
      const where = `Batch ${batchId} of "${stream}"`
      if (seen.has(number)) throw new Error(`${where} doubles record ${number}`)
      if (keys[Number(number)] !== key) throw new Error(`${where} has ${number} under ${key}`)
      const before = last.get(key) ?? -1
      if (before > Number(number)) {
        throw new Error(`${where} has ${number} of key ${key} after ${before}`)
      }
      seen.add(number)
      last.set(key, Number(number))
    }
  }
  const lost = keys.flatMap((_, n) => (seen.has(String(n)) ? [] : [n]))
  if (lost.length > 0) throw new Error(`"${stream}" lost ${lost.length} records: ${lost.join()}`)
}

/** Throws unless a child's records come in later batches than all records of its parents. */
export function checkLineage(
  stream: string,
  batches: ReadonlyMap<number, readonly unknown[]>,
  parentsOf: ReadonlyMap<string, readonly string[]>,
): void {
  const first = new Map<string, number>()
  const last = new Map<string, number>()
  for (const [batchId, records] of inOrder(batches)) {
    for (const { shard } of records as readonly Arrived[]) {
      if (!first.has(shard)) first.set(shard, batchId)
      last.set(shard, batchId)
    }
  }
  for (const [shard, batchId] of first) {
    for (const parent of ancestorsOf(shard, parentsOf)) {
      if ((last.get(parent) ?? 0) < batchId) continue
      throw new Error(
        `"${stream}": batch ${batchId} has ${shard}, and ${last.get(parent)} its parent ${parent}`,
      )
    }
  }
}

function ancestorsOf(shard: string, parentsOf: ReadonlyMap<string, readonly string[]>): string[] {
  const parents = parentsOf.get(shard) ?? []
  return [...parents, ...parents.flatMap((parent) => ancestorsOf(parent, parentsOf))]
}

/** Throws unless totals, windows and joins of every batch follow from the records that the batches
 * up to it have. */
export function checkFolds(outputs: Outputs): void {
  const last = Math.max(...OUTPUTS.flatMap((output) => [...outputs[output].keys()]))
  const arrived = (stream: OutputName, batchId: number) =>
    (outputs[stream].get(batchId) ?? []) as readonly Arrived[]
  const windowOf = (stream: OutputName, batchId: number, length: number) =>
    Array.from({ length }, (_, i) => arrived(stream, batchId - i)).flat()
  const totals = new Map<string, number>()
  const waiting = new Map<string, string>()
  for (let batchId = 1; batchId <= last; batchId += 1) {
    const same = (output: OutputName, should: Iterable<unknown>) =>
      checkSame(output, batchId, outputs[output].get(batchId) ?? [], [...should])
    for (const { key } of arrived('orders', batchId)) add(totals, key)
    same('totals', totals)
    const counts = new Map<string, number>()
    for (const { key } of windowOf('orders', batchId, COUNTED)) add(counts, key)
    same('window', counts)
    const paid: string[] = []
    for (const side of STREAMS) {
      for (const { number } of arrived(side, batchId)) {
        if (waiting.has(number)) paid.push(number)
        if (!waiting.delete(number)) waiting.set(number, side)
      }
    }
    same('paid', paid)
    same('waiting', waiting)
    const payments = new Set(windowOf('payments', batchId, JOINED).map(({ number }) => number))
    const orders = windowOf('orders', batchId, JOINED).map(({ number }) => number)
    const met = orders.filter((number) => payments.has(number))
    same(
      'met',
      met.map((number) => [number, STREAMS]),
    )
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function checkSame(
  output: OutputName,
  batchId: number,
  has: readonly unknown[],
  should: readonly unknown[],
): void {
  if (textOf(has) === textOf(should)) return
  throw new Error(
    `Batch ${batchId} of output "${output}" must hold ${textOf(should)}, got ${textOf(has)}`,
  )
}

function textOf(records: readonly unknown[]): string {
  const lines = records.map((record) => JSON.stringify(record))
  return lines.sort((a, b) => (a < b ? -1 : Number(a > b))).join(' ')
}

function inOrder<T>(batches: ReadonlyMap<number, T>): [number, T][] {
  return [...batches].sort(([a], [b]) => a - b)
}
