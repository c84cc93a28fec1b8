// Every public name has a docstring, and so has every member of a public class or interface; every
// public value and every public method has an example, which test/docs/examples.test.ts runs.

import { describe, expect, test } from 'vitest'
import { SourceFile } from '../tidy/source-file.ts'
import {
  type Declaration,
  declarationsFor,
  declarationsOf,
  ENTRIES,
  exportsOf,
  faultsOf,
} from './public-surface.ts'

test.each(ENTRIES)('what %s exports is documented', (_entry, file) => {
  const names = exportsOf(file)
  const declarations = declarationsFor(file)
  expect(names).not.toEqual([])
  expect(names.flatMap((name) => faultsOf(name, declarations))).toEqual([])
})

describe('what is missing is named', () => {
  const faults = (name: string, ...lines: string[]): string[] => {
    const file = new SourceFile('src/a.ts', lines.join('\n'))
    const found = new Map<string, Declaration>(declarationsOf(file).map((one) => [one.name, one]))
    return faultsOf(name, found)
  }
  const documented = ['/** Shows.', ' * @example', ' */']

  test('a name without a docstring, and a value without an example', () => {
    expect(faults('a', 'export const a = 1')).toEqual(['a has no docstring', 'a has no example'])
    expect(faults('f', '/** Gives. */', 'export function f() {', '}')).toEqual(['f has no example'])
  })

  test('a method without either, on the class or on one above it', () => {
    const above = ['export abstract class A {', '  low<T>(x: T): void {', '  }', '}']
    const below = [
      ...documented,
      'export class B extends A {',
      '  async high(): void {',
      '  }',
      '}',
    ]
    expect(faults('B', ...above, ...below)).toEqual([
      'B.high has no docstring',
      'B.high has no example',
      'B.low has no docstring',
      'B.low has no example',
    ])
  })

  test('a member of an interface without a docstring; it needs no example', () => {
    const lines = [
      '/** A. */',
      'export interface A {',
      '  readonly a: 1',
      '  /** B. */',
      '  b(): 1',
      '}',
    ]
    expect(faults('A', ...lines)).toEqual(['A.a has no docstring'])
  })

  test('nothing of what an interface above documents, nor of what no user sees', () => {
    const above = ['/** A. */', 'export interface A {', '  /** Shows. */', '  a(): 1', '}']
    const below = [
      ...documented,
      'export class B implements A {',
      '  readonly #c = 1',
      '  constructor() {',
      '  }',
      '  a(): 1 {',
      '    return 1',
      '  }',
      '  protected d(): void {',
      '  }',
      '}',
    ]
    expect(faults('B', ...above, ...below)).toEqual([])
  })

  test('a name that is declared nowhere', () => {
    expect(faults('a', '')).toEqual(['a is declared nowhere'])
  })
})
