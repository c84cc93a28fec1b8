// The same semantics as a generated loop, one closure call at a time. It runs chains that are made
// anew for each batch, retries after a failure, and where code generation is disallowed: it knows
// which operator and which record it was at.

import { tokenOf } from '../batch/key.ts'
import type { CombineOp, NarrowOp } from '../batch/node.ts'
import { partitionOf } from '../batch/partitioner.ts'
import { isPromise, refusePromise, synchronous } from '../batch/promise.ts'
import type { Records } from '../batch/records.ts'
import type { KeyTable } from './combiner.ts'
import type { Counter, EndOp, LoopTarget } from './loop.ts'
import type { Router } from './routing.ts'

/** Told where the interpreter is before each call of a closure. */
export interface Trace {
  operator: string
  record: number
}

/** What errors call a chain. */
export function chainName(ops: readonly NarrowOp[], end: EndOp | undefined): string {
  return [...ops, ...(end === undefined ? [] : [end])].map((op) => op.name).join(' → ')
}

type Call = (value: unknown) => unknown
type Merge = (a: unknown, b: unknown) => unknown

/** Runs a chain over one piece, writing down in `trace` where it is. */
export function interpret(
  ops: readonly NarrowOp[],
  end: EndOp | undefined,
  input: Records<unknown>,
  target: LoopTarget,
  trace: Trace,
): void {
  const last = lastStep(end, target, trace)
  const step = ops.reduceRight((next, op) => stepOf(op, next, trace), last)
  for (let i = 0; i < input.length; i++) {
    trace.record = i
    step(input.at(i))
  }
}

function lastStep(end: EndOp | undefined, target: LoopTarget, trace: Trace): Call {
  switch (end?.kind) {
    case undefined:
      return (value) => (target as unknown[]).push(value)
    case 'count':
      return () => {
        ;(target as Counter).n += 1
      }
    case 'route':
    case 'cogroup':
      return routing(end.partitions, target as Router, end.name, trace)
    case 'combineByKey':
      return combining(end, target as KeyTable, trace)
  }
}

function routing(partitions: number, { keys, values }: Router, name: string, trace: Trace): Call {
  return (pair) => {
    trace.operator = name
    const [key, value] = pair as [unknown, unknown]
    const target = partitionOf(key, partitions)
    keys[target]?.push(key)
    values[target]?.push(value)
  }
}

function combining(op: CombineOp, table: KeyTable, trace: Trace): Call {
  const create = op.create as Call | undefined
  const merge = op.mergeValue as Merge
  return (pair) => {
    trace.operator = op.name
    const [key, value] = pair as [unknown, unknown]
    const id = table.ids.get(tokenOf(key))
    if (id !== undefined) table.values[id] = synchronous(merge(table.values[id], value))
    else {
      const created = create === undefined ? value : synchronous(create(value))
      table.values[table.idOf(key)] = created
    }
  }
}

function stepOf(op: NarrowOp, next: Call, trace: Trace): Call {
  const call = (value: unknown) => {
    trace.operator = op.name
    const result = (op.f as Call)(value)
    if (isPromise(result)) refusePromise(result)
    return result
  }
  switch (op.kind) {
    case 'map':
      return (value) => next(call(value))
    case 'filter':
      return (value) => (call(value) ? next(value) : undefined)
    case 'flatMap':
      return (value) => {
        for (const item of Array.from(call(value) as Iterable<unknown>)) next(item)
      }
    case 'mapValues':
      return (pair) => {
        const [key, value] = pair as [unknown, unknown]
        next([key, call(value)])
      }
    case 'flatMapValues':
      return (pair) => {
        const [key, value] = pair as [unknown, unknown]
        for (const item of Array.from(call(value) as Iterable<unknown>)) next([key, item])
      }
  }
}
