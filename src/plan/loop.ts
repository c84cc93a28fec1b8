// Narrow operators of a stage as ONE generated function, made once a stage: V8 inlines the closures
// into it.
//
// Each text is unique, by its sourceURL: functions of the same text share their compilation, and
// with it the feedback about closures, which makes the second 11 to 17 times slower
// (docs/decisions/0003).

import { tokenOf } from '../batch/key.ts'
import type { CogroupOp, CombineOp, CountOp, NarrowOp, RouteOp } from '../batch/node.ts'
import { partitionOf } from '../batch/partitioner.ts'
import { refusePromise } from '../batch/promise.ts'
import type { KeyTable } from './combiner.ts'
import { LoopFailure } from './failure.ts'
import type { InputKind, LoopInput } from './loop-input.ts'
import type { Router } from './routing.ts'

/** Counts records that nobody keeps. */
export class Counter {
  n = 0
}

/** What a chain ends in. Without one its records go into an array. */
export type EndOp = CombineOp | RouteOp | CogroupOp | CountOp

/** What a loop adds its results to: an array, the table of a shuffle, the columns of the targets, a
 * count. */
export type LoopTarget = unknown[] | KeyTable | Router | Counter

/** Runs a chain of operators over the records of one piece. */
export type Loop = (input: LoopInput, target: LoopTarget) => void

let stages = 0

const READS: Readonly<Record<InputKind, string>> = {
  array: 'input[i]',
  pairs: '[inKeys[i], inValues[i]]',
  texts: 'inText.slice(inStarts[i], inEnds[i])',
  block: 'input.at(i)',
}

/** What a loop takes out of its input before it begins. */
const INPUTS: Readonly<Record<InputKind, string>> = {
  array: '',
  pairs: 'const { keys: inKeys, values: inValues } = input;',
  texts: 'const { text: inText, starts: inStarts, ends: inEnds } = input;',
  block: '',
}

/** Generates the loop of a chain. Throws EvalError where code generation is disallowed. */
export function generateLoop(
  ops: readonly NarrowOp[],
  end: EndOp | undefined,
  input: InputKind,
): Loop {
  const body: string[] = []
  const closing: string[] = []
  let value = 'v0'
  ops.forEach((op, i) => {
    value = emitOp(op, i, value, body, closing)
  })
  body.push(emitEnd(end, value))
  const names = ops.map((_, i) => `f${i}`)
  stages += 1
  const text = `'use strict';
return function stage(input, target) {
  const n = input.length; let i = 0;
  ${INPUTS[input]}
  ${opening(end)}
  try {
    for (; i < n; i++) {
      const v0 = ${READS[input]};
      ${body.join('\n      ')}
      ${closing.reverse().join('\n      ')}
    }
  } catch (error) { throw new LoopFailure(i, error); }
};
//# sourceURL=millrace/stage-${stages}-${ops.map((op) => op.name).join('.') || 'records'}.js`
  const combine = end?.kind === 'combineByKey' ? end : undefined
  const helpers = ['LoopFailure', 'refusePromise', 'tokenOf', 'partitionOf', 'create', 'merge']
  const make = new Function(...helpers, ...names, text)
  const closures = ops.map((op) => op.f)
  return make(
    LoopFailure,
    refusePromise,
    tokenOf,
    partitionOf,
    combine?.create,
    combine?.mergeValue,
    ...closures,
  ) as Loop
}

/** What a loop takes out of its target before it begins. */
function opening(end: EndOp | undefined): string {
  switch (end?.kind) {
    case 'combineByKey':
      return 'const { ids, keys, values } = target;'
    case 'route':
    case 'cogroup':
      return `const { keys, values } = target; const partitions = ${end.partitions};`
    default:
      return ''
  }
}

function emitEnd(end: EndOp | undefined, value: string): string {
  switch (end?.kind) {
    case undefined:
      return `target.push(${value});`
    case 'combineByKey':
      return emitCombine(end, value)
    case 'route':
    case 'cogroup':
      return `const key = ${value}[0]; const p = partitionOf(key, partitions);
      keys[p].push(key); values[p].push(${value}[1]);`
    case 'count':
      return 'target.n += 1;'
  }
}

function emitOp(op: NarrowOp, i: number, value: string, body: string[], closing: string[]): string {
  const next = `v${i + 1}`
  const ofValue = op.kind === 'mapValues' || op.kind === 'flatMapValues'
  const call = `f${i}(${value}${ofValue ? '[1]' : ''})`
  switch (op.kind) {
    case 'map':
      body.push(`const ${next} = ${call};`, refuse(next))
      return next
    case 'filter':
      body.push(
        `const k${i} = ${call};`,
        `if (k${i} !== true) { ${refuse(`k${i}`)} if (!k${i}) continue; }`,
      )
      return value
    case 'mapValues':
      body.push(`const m${i} = ${call};`, refuse(`m${i}`), `const ${next} = [${value}[0], m${i}];`)
      return next
    case 'flatMap':
    case 'flatMapValues': {
      const item = op.kind === 'flatMap' ? `a${i}[j${i}]` : `[${value}[0], a${i}[j${i}]]`
      body.push(
        `let a${i} = ${call};`,
        `if (!Array.isArray(a${i})) { ${refuse(`a${i}`)} a${i} = Array.from(a${i}); }`,
        `for (let j${i} = 0; j${i} < a${i}.length; j${i}++) {`,
        `const ${next} = ${item};`,
      )
      closing.push('}')
      return next
    }
  }
}

function refuse(name: string): string {
  return (
    `if (typeof ${name} === 'object' && ${name} !== null && typeof ${name}.then === 'function') ` +
    `refusePromise(${name});`
  )
}

function emitCombine(op: CombineOp, value: string): string {
  const created = op.create === undefined ? `${value}[1]` : `create(${value}[1])`
  const refuseCreated = op.create === undefined ? '' : refuse('created')
  return `const key = ${value}[0];
      const plain = (typeof key === 'string' && key.charCodeAt(0) !== 0) || typeof key === 'number';
      const token = plain ? key : tokenOf(key);
      const id = ids.get(token);
      if (id === undefined) {
        const created = ${created}; ${refuseCreated}
        ids.set(token, keys.length); keys.push(key); values.push(created);
      } else {
        const merged = merge(values[id], ${value}[1]); ${refuse('merged')}
        values[id] = merged;
      }`
}
