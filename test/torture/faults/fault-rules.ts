// What goes wrong in one case: by rate all the time, and by rule for a while.

import type { FaultRule } from 'millrace/testing'

type Pick = (below: number) => number

const READ = 'GetRecords'
const LOOKS = ['GetShardIterator', 'ListShards', 'DescribeStreamSummary']
const PUTS = ['PutRecord', 'PutRecords']

/** Draws the rules of a case that begins at `startMs`. */
export function faultRules(pick: Pick, startMs: number, streams: readonly string[]): FaultRule[] {
  return [...outages(pick, startMs, streams), ...ofReads(pick), ...ofLooks(pick), ...ofPuts(pick)]
}

/** From `low` to `high`, in steps of a thousandth of what is between. */
function between(pick: Pick, low: number, high: number): number {
  return low + ((high - low) * pick(1_001)) / 1_000
}

/** For some minutes, or for some calls, everything of a kind fails. */
function outages(pick: Pick, startMs: number, streams: readonly string[]): FaultRule[] {
  const fromMs = startMs + pick(120_000)
  const stream = streams[pick(streams.length)] as string
  const shard = 'shardId-000000000000'
  // Longer than an iterator lives.
  const longMs = { fromMs: startMs + 5_000, untilMs: startMs + 310_000 }
  const all: readonly FaultRule[] = [
    { kind: 'error', operation: READ, shard, ...longMs },
    { kind: 'cut-before', stream, fromMs, untilMs: fromMs + 10_000 + pick(50_000) },
    { kind: 'throttle', operation: READ, skip: pick(200), times: 5 + pick(20) },
    { kind: 'slow', operation: READ, skip: pick(200), times: 8, delayMs: 29_000 },
    { kind: 'empty', stream, fromMs, untilMs: fromMs + 20_000 },
    { kind: 'throttle', operation: PUTS, fromMs, untilMs: fromMs + 15_000 },
  ]
  return all.filter(() => pick(3) === 0)
}

function ofReads(pick: Pick): FaultRule[] {
  const operation = READ
  return [
    // The first is beyond the receiver's limit of 30 s, the second within.
    { kind: 'slow', operation, rate: 0.001, delayMs: 30_001 + pick(30_000) },
    { kind: 'slow', operation, rate: between(pick, 0.02, 0.1), delayMs: 1 + pick(3_000) },
    { kind: 'throttle', operation, rate: between(pick, 0.005, 0.06) },
    { kind: 'error', operation, rate: between(pick, 0.1, 0.3), status: 500 },
    { kind: 'error', operation, rate: between(pick, 0.02, 0.2), status: 503 },
    { kind: 'cut-before', operation, rate: between(pick, 0.1, 0.3) },
    { kind: 'cut-after', operation, rate: between(pick, 0.1, 0.3) },
    { kind: 'empty', operation, rate: between(pick, 0.1, 0.4) },
  ]
}

function ofLooks(pick: Pick): FaultRule[] {
  const operation = LOOKS
  return [
    { kind: 'slow', operation, rate: 0.03, delayMs: 10_001 + pick(10_000) },
    { kind: 'slow', operation, rate: 0.1, delayMs: 1 + pick(1_900) },
    { kind: 'throttle', operation, rate: between(pick, 0.01, 0.2) },
    { kind: 'error', operation, rate: between(pick, 0.05, 0.2), status: pick(2) ? 500 : 503 },
    { kind: 'cut-before', operation, rate: 0.1 },
    { kind: 'cut-after', operation, rate: 0.1 },
  ]
}

function ofPuts(pick: Pick): FaultRule[] {
  const operation = PUTS
  return [
    { kind: 'slow', operation, rate: 0.05, delayMs: 1 + pick(5_000) },
    { kind: 'throttle', operation, rate: between(pick, 0, 0.2) },
    { kind: 'error', operation, rate: 0.05 },
    { kind: 'cut-before', operation, rate: 0.05 },
    { kind: 'cut-after', operation, rate: between(pick, 0, 0.2) },
    { kind: 'duplicate', operation, rate: between(pick, 0, 0.2) },
  ]
}
