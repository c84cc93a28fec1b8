// Operators over two streams, and over branches of one, for the engine and over arrays.

import type { Batch } from 'millrace'
import {
  cut,
  cutEvenly,
  type Domain,
  each,
  need,
  type Operators,
  type Pair,
  type Parts,
  reduce,
  type Settings,
  type Step,
  strictly,
  type Value,
} from './step.ts'

type Groups = [string, [Value[], Value[]]]

/** The values of both for each key: keys in the order of (stream, partition, offset). */
function cogroup(left: Parts, right: Parts, partitions: number): Groups[][] {
  const groups = new Map<string, [Value[], Value[]]>()
  ;[left, right].forEach((parts, side) => {
    for (const [key, value] of parts.flat(1)) {
      const group = groups.get(key) ?? [[], []]
      group[side as 0 | 1].push(value)
      groups.set(key, group)
    }
  })
  return cut(partitions, groups)
}

const both =
  (f: (left: Parts, right: Parts) => Parts): Step =>
  (parts, { other }) =>
    f(need(parts), need(other))

const ABSENT = [undefined]
type Sides = [Value | undefined, Value | undefined]
type Join = 'join' | 'leftOuterJoin' | 'rightOuterJoin' | 'fullOuterJoin'

/** Adds what was joined; an absent side says so. */
const added =
  ({ add, lift }: Domain) =>
  ([a, b]: Sides): Value =>
    add(a ?? lift(11), b ?? lift(13))

function joined(kind: Join, left: Parts, right: Parts, { partitions, domain }: Settings): Parts {
  const keepsLeft = kind === 'leftOuterJoin' || kind === 'fullOuterJoin'
  const keepsRight = kind === 'rightOuterJoin' || kind === 'fullOuterJoin'
  return cogroup(left, right, partitions).map((part) =>
    part.flatMap(([key, [lefts, rights]]) => {
      const a = keepsRight && lefts.length === 0 ? ABSENT : lefts
      const b = keepsLeft && rights.length === 0 ? ABSENT : rights
      return a.flatMap((x) => b.map((y): Pair => [key, added(domain)([x, y])]))
    }),
  )
}

function joinOf(kind: Join): Operators[string] {
  return {
    grows: true,
    build: (s, { partitions, domain }, other) =>
      s[kind](other, { partitions }).map(([key, sides]): Pair => [key, added(domain)(sides)]),
    oracle: (settings) => both((left, right) => joined(kind, left, right, settings)),
  }
}

const flattened =
  ({ add, lift }: Domain) =>
  ([left, right]: [Value[], Value[]]): Value =>
    [...left, lift(17), ...right].reduce(add)

const changed = (parts: Parts, { change }: Domain): Pair[][] =>
  parts.map((part) => part.map(([key, value]): Pair => [key, change(value)]))
const notC = ([key]: Pair): boolean => key !== 'c'

const tableOf = ({ lift }: Domain): Pair[] => [
  ['a', lift(21)],
  ['q', lift(22)],
  ['a', lift(23)],
]

const joins: Operators = {
  join: joinOf('join'),
  leftOuterJoin: joinOf('leftOuterJoin'),
  rightOuterJoin: joinOf('rightOuterJoin'),
  fullOuterJoin: joinOf('fullOuterJoin'),
  cogroup: {
    build: (s, { partitions, domain }, other) =>
      s.cogroup(other, { partitions }).mapValues(flattened(domain)),
    oracle: ({ partitions, domain }) =>
      both((left, right) =>
        cogroup(left, right, partitions).map((part) =>
          part.map(([key, groups]): Pair => [key, flattened(domain)(groups)]),
        ),
      ),
  },
  'fullOuterJoin with a table': {
    grows: true,
    build: (s, { partitions, domain }) =>
      s
        .fullOuterJoin(tableOf(domain), { partitions })
        .map(([key, sides]): Pair => [key, added(domain)(sides)]),
    oracle: (settings) =>
      each((parts) => joined('fullOuterJoin', parts, [tableOf(settings.domain)], settings)),
  },
  'join with its own reduction': {
    build: (s, { partitions, domain }) =>
      s.join(s.reduceByKey(domain.add, { partitions }), { partitions }).mapValues(added(domain)),
    oracle: (settings) => (parts) => {
      const all = need(parts)
      return joined('join', all, reduce(all, settings.domain.add, settings.partitions), settings)
    },
  },
}

const unions: Operators = {
  union: {
    grows: true,
    build: (s, _settings, other) => s.union(other),
    oracle: () => both((left, right) => [...left, ...right]),
  },
  'union of branches': {
    grows: true,
    build: (s, { domain, partitions }, other, ssc) =>
      ssc.union(s.mapValues(domain.change), other, s.filter(notC).repartition(partitions)),
    oracle: ({ domain, partitions }) =>
      both((left, right) => [
        ...changed(left, domain),
        ...right,
        ...cutEvenly(left.flat(1).filter(notC), partitions),
      ]),
  },
  'a cached stream, read twice': {
    grows: true,
    build(s) {
      const cached = s.cache()
      return cached.filter(notC).union(cached)
    },
    oracle: () => strictly((parts) => [...parts.map((part) => part.filter(notC)), ...parts]),
  },
  transformWith: {
    build: (s, { partitions }, other) =>
      s.transformWith(other, (a, b) => a.subtractByKey(b, { partitions })),
    oracle: ({ partitions }) =>
      both((left, right) =>
        cogroup(left, right, partitions).map((part) =>
          part.flatMap(([key, [lefts, rights]]) =>
            rights.length > 0 ? [] : lefts.map((value): Pair => [key, value]),
          ),
        ),
      ),
  },
  'transform of the context': {
    grows: true,
    build: (s, { domain }, other, ssc) =>
      ssc.transform([s, other, s.mapValues(domain.change)], ([a, b, c]) =>
        (c as Batch<Pair>).union(b as Batch<Pair>).union(a as Batch<Pair>),
      ),
    oracle: ({ domain }) => both((left, right) => [...changed(left, domain), ...right, ...left]),
  },
}

export const twoStreamOperators: Operators = { ...joins, ...unions }
