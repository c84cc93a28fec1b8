// Windows, for the engine and over arrays. A window gives a batch at each of its slides, whether
// its parent had one then or not.

import {
  combine,
  cut,
  group,
  ms,
  type Operators,
  type Pair,
  type Pairs,
  reduce,
  type Settings,
  type Step,
  total,
  type Value,
  valuesOf,
} from './step.ts'

type Panes<P> = (pane: P | undefined, n: number) => P[] | undefined

/** The batches of the last `length` slides of the parent, every `slide` of them. */
function panes<P>({ length, slide }: Settings, every: number): Panes<P> {
  const recent: (P | undefined)[] = []
  return (pane, n) => {
    recent.push(pane)
    if (n % (slide * every) !== 0) return undefined
    return recent.slice(-length).filter((one) => one !== undefined)
  }
}

function window(settings: Settings, every: number): Step {
  const recent = panes<Pair[][]>(settings, every)
  return (parts, { n }) => recent(parts as Pair[][] | undefined, n)?.flat(1)
}

/** The window reduced by key. Time is cut at the multiples of its length: what lies before the last
 * cut is reduced from the newest batch to the oldest, what lies after it from the oldest to the
 * newest. A key keeps its place as long as some batch of the window has it. */
function reducedWindow(settings: Settings, every: number): Step {
  const { domain, partitions, length, slide } = settings
  const all: ReadonlyMap<string, Value>[] = []
  let order: string[] = []
  return (parts, { n }) => {
    all.push(new Map(reduce(parts ?? [], domain.add, partitions).flat(1)))
    if (n % (slide * every) !== 0) return undefined
    const recent = all.slice(-length)
    const keys = new Set(recent.flatMap((pane) => [...pane.keys()]))
    order = [...new Set([...order.filter((key) => keys.has(key)), ...keys])]
    const after = ((all.length - 1) % length) + 1
    const older = recent.slice(0, recent.length - Math.min(after, recent.length))
    const newer = recent.slice(-after)
    const reduced = order.map((key): Pair => [key, merged(key, older, newer, domain.add)])
    return cut(partitions, reduced)
  }
}

function merged(
  key: string,
  older: readonly ReadonlyMap<string, Value>[],
  newer: readonly ReadonlyMap<string, Value>[],
  add: (a: Value, b: Value) => Value,
): Value {
  const of = (some: readonly ReadonlyMap<string, Value>[]): Value[] =>
    some.flatMap((pane) => (pane.has(key) ? [pane.get(key) as Value] : []))
  const suffix = of(older).reverse()
  const prefix = of(newer)
  const ends = [
    ...(suffix.length > 0 ? [suffix.reduce((late, early) => add(early, late))] : []),
    ...(prefix.length > 0 ? [prefix.reduce(add)] : []),
  ]
  return ends.reduce(add)
}

/** As the window reduced anew; a key keeps its place as long as some batch of the window has it. */
function inverseWindow(settings: Settings, every: number, forgets: boolean): Step {
  const anew = reducedWindow(settings, every)
  let order: string[] = []
  return (parts, now) => {
    const reduced = anew(parts, now)
    if (reduced === undefined) return undefined
    const values = new Map(reduced.flat(1))
    const kept = forgets ? order.filter((key) => values.has(key)) : order
    order = [...new Set([...kept, ...values.keys()])]
    const all = order.map((key): Pair => [key, values.get(key) ?? 0])
    return cut(settings.partitions, forgets ? all.filter(([, value]) => value !== 0) : all)
  }
}

const take = (a: Value, b: Value): Value => (a as number) - (b as number)
const sum = (a: Value, b: Value): Value => (a as number) + (b as number)
const values = (s: Pairs) => s.map(([, value]) => value)

/** The sum of a whole window that is kept up by an inverse: there once a record was there. */
function wholeWindow(settings: Settings, every: number, key: string): Step {
  const recent = panes<Value[]>(settings, every)
  const { domain } = settings
  let seen = false
  return (parts, { n }) => {
    const sums = recent(parts && total(valuesOf(parts), sum), n)
    if (sums === undefined) return undefined
    seen ||= sums.flat(1).length > 0
    const whole = sums.flat(1).reduce(sum, 0)
    return [seen ? [[key, key === 'cw' ? domain.lift(whole as number) : whole]] : []]
  }
}

export const windowOperators: Operators = {
  window: {
    slides: true,
    grows: true,
    build: (s, { length, slide }) => s.window(ms(s, length), ms(s, slide)),
    oracle: window,
  },
  'window of the slide of its parent': {
    grows: true,
    build: (s, { length }) => s.window(ms(s, length)),
    oracle: (settings, every) => window({ ...settings, slide: 1 }, every),
  },
  countByWindow: {
    slides: true,
    build: (s, { length, slide, domain }) =>
      s.countByWindow(ms(s, length), ms(s, slide)).map((n): Pair => ['cw', domain.lift(n)]),
    oracle: (settings, every) => {
      const counted = wholeWindow(settings, every, 'cw')
      return (parts, now) => counted(parts && [[['', parts.flat(1).length]]], now)
    },
  },
  countByValueAndWindow: {
    slides: true,
    build: (s, { length, slide, partitions, domain }) =>
      s
        .map(([key]) => key)
        .countByValueAndWindow(ms(s, length), ms(s, slide), { partitions })
        .mapValues(domain.lift),
    oracle: (settings, every) => {
      const exact = { ...settings, domain: { ...settings.domain, add: sum } }
      const counted = inverseWindow(exact, every, true)
      return (parts, now) => {
        const ones = parts?.map((part) => part.map(([key]): Pair => [key, 1]))
        const lifted = ([key, n]: Pair): Pair => [key, settings.domain.lift(n as number)]
        return counted(ones, now)?.map((part) => part.map(lifted))
      }
    },
  },
  reduceByWindow: {
    slides: true,
    build: (s, { length, slide, domain }) =>
      values(s)
        .reduceByWindow(domain.add, ms(s, length), ms(s, slide))
        .map((value): Pair => ['w', value]),
    oracle: (settings, every) => {
      const whole = reducedWindow({ ...settings, partitions: 1 }, every)
      const { add } = settings.domain
      return (parts, now) => {
        const sums = parts && [total(valuesOf(parts), add).map((value): Pair => ['w', value])]
        return whole(sums, now)
      }
    },
  },
  'reduceByWindow with an inverse': {
    slides: true,
    exactOnly: true,
    build: (s, { length, slide, domain }) =>
      values(s)
        .reduceByWindow(domain.add, take, ms(s, length), ms(s, slide))
        .map((value): Pair => ['w', value]),
    oracle: (settings, every) => wholeWindow(settings, every, 'w'),
  },
  groupByKeyAndWindow: {
    slides: true,
    build: (s, { length, slide, partitions, domain }) =>
      s
        .groupByKeyAndWindow(ms(s, length), ms(s, slide), { partitions })
        .mapValues((all) => all.reduce(domain.add)),
    oracle: (settings, every) => {
      const recent = panes<[string, Value[]][][]>(settings, every)
      const { partitions, domain } = settings
      const concat = (a: Value[], b: Value[]) => [...a, ...b]
      const by = { create: (all: Value[]) => all, mergeValue: concat, mergeCombiners: concat }
      return (parts, { n }) => {
        const grouped = recent(parts && group(parts, partitions), n)
        if (grouped === undefined) return undefined
        return combine(grouped.flat(1), by, partitions).map((part) =>
          part.map(([key, all]): Pair => [key, all.reduce(domain.add)]),
        )
      }
    },
  },
  reduceByKeyAndWindow: {
    slides: true,
    build: (s, { length, slide, partitions, domain }) =>
      s.reduceByKeyAndWindow(domain.add, ms(s, length), ms(s, slide), { partitions }),
    oracle: reducedWindow,
  },
  'reduceByKeyAndWindow with an inverse': {
    slides: true,
    exactOnly: true,
    build: (s, { length, slide, partitions, domain }) =>
      s.reduceByKeyAndWindow(domain.add, take, ms(s, length), ms(s, slide), { partitions }),
    oracle: (settings, every) => inverseWindow(settings, every, false),
  },
  'reduceByKeyAndWindow with an inverse and a filter': {
    slides: true,
    exactOnly: true,
    build: (s, { length, slide, partitions, domain }) =>
      s.reduceByKeyAndWindow(domain.add, take, ms(s, length), ms(s, slide), {
        partitions,
        filter: ([, value]) => value !== 0,
      }),
    oracle: (settings, every) => inverseWindow(settings, every, true),
  },
  'union of two windows': {
    grows: true,
    build: (s, { length }) => s.window(ms(s, length)).union(s.window(ms(s, 1))),
    oracle: (settings, every) => {
      const long = window({ ...settings, slide: 1 }, every)
      const short = window({ ...settings, slide: 1, length: 1 }, every)
      return (parts, now) => [...(long(parts, now) ?? []), ...(short(parts, now) ?? [])]
    },
  },
}
