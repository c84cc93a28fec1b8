// Operations on batches as sets of values, made of the recipes for pairs: values are compared as
// keys are.

import type { Recipe } from './node.ts'
import { chain, cogroup, type Naming, narrow } from './recipes.ts'

type Sides = readonly [unknown, readonly [readonly unknown[], readonly unknown[]]]

/** One of each value that is on both sides. */
export function intersection(partitions: number, naming: Naming): Recipe {
  const onBoth = ([value, [lefts, rights]]: Sides) =>
    lefts.length > 0 && rights.length > 0 ? [value] : []
  return ofValues(chain(cogroup(partitions, naming), narrow('flatMap', onBoth, naming)), naming)
}

/** The values of the first side that are not on the second; those that are there twice stay so. */
export function subtract(partitions: number, naming: Naming): Recipe {
  const onlyLeft = ([, [lefts, rights]]: Sides) => (rights.length > 0 ? [] : lefts)
  return ofValues(chain(cogroup(partitions, naming), narrow('flatMap', onlyLeft, naming)), naming)
}

/** Pairs each value of each parent with itself, before `recipe`. */
function ofValues(recipe: Recipe, naming: Naming): Recipe {
  const keyed = narrow('map', (value: unknown) => [value, value], naming)
  return (parents) => recipe(parents.map((parent) => keyed([parent])))
}
