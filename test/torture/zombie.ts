// Zombies: a driver is stopped with SIGSTOP within a batch until its lease is over, a second
// process takes its checkpoint over and goes on, and the first one wakes up. It ends as FENCED;
// what was published stays as it is, what comes after is the second one's, and a third process
// finds all of it whole.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineChild } from './child-process.ts'
import { batchesIn } from './files-batches.ts'
import { checkOutputs } from './lives.ts'
import { MotoServer } from './moto-server.ts'
import { pickFrom } from './picks.ts'
import type { CheckpointPlace, ProcessArgs } from './process-protocol.ts'
import type { Suite, Torture } from './torture.ts'
import { writtenInput } from './written-input.ts'
import { WRITTEN } from './written-pipelines.ts'
import { ZOMBIE_INPUT } from './zombie-input.ts'

const NAME = 'counted'
const SCRIPT = 'written-process.ts'
const EVENTS = ['batch-planned', 'batch-ran', 'batch-written', 'batch-completed'] as const
/** Run at once: most of their time is the lease. */
const AT_ONCE = 3
/** How many batches the second process runs before the first one wakes, and after: snapshots are
 * written and old ones deleted in both. */
const BATCHES_BESIDE = 8

export const zombie: Torture = {
  name: 'zombie',
  what: 'stops a driver past its lease, lets a second take over, and wakes the first',
  stores: ['local', 's3'],
  counts: { ci: 3, once: 30 },
  async open(store): Promise<Suite> {
    const home = await mkdtemp(join(tmpdir(), 'millrace-zombie-'))
    const moto = store === 's3' ? await MotoServer.start() : undefined
    return {
      chunk: AT_ONCE,
      async run(seed, count) {
        const seeds = Array.from({ length: count }, (_, i) => seed + i)
        const runs = seeds.map((one) => {
          const folder = join(home, String(one))
          return raise(one, folder, moto?.place(`zombie-${one}`) ?? join(folder, 'state'))
        })
        await Promise.all(runs)
        return 'fenced'
      },
      async close() {
        await moto?.close()
        await rm(home, { recursive: true, force: true })
      },
    }
  },
}

async function raise(seed: number, folder: string, checkpoint: CheckpointPlace): Promise<void> {
  const pick = pickFrom(seed)
  const event = EVENTS[seed % EVENTS.length] ?? EVENTS[0]
  const freeze = { event, batchId: 4 + pick(6) }
  const out = join(folder, 'out')
  const common: ProcessArgs = { pipeline: NAME, checkpoint, out, takeover: 'wait' }
  const first = new EngineChild(SCRIPT, { ...common, freeze })
  const children = [first]
  try {
    await first.hear(({ kind }) => kind === 'frozen')
    const published = publishedIn(out)
    const second = new EngineChild(SCRIPT, common)
    children.push(second)
    await second.hear(({ kind }) => kind === 'started')
    await second.hear(completes(freeze.batchId + BATCHES_BESIDE))
    first.signal('SIGCONT')
    const ended = await first.hear(({ kind }) => kind === 'ended')
    if (!('code' in ended) || ended.code !== 'FENCED') {
      throw new Error(`The first process must end as FENCED, got ${JSON.stringify(ended)}`)
    }
    if (!ended.message.includes(`process ${second.pid} `)) {
      throw new Error(`The first process must name the second, got ${ended.message}`)
    }
    await first.gone()
    await second.hear(completes(second.completed + BATCHES_BESIDE))
    await end(second)
    checkPublished(out, published)
    const third = new EngineChild(SCRIPT, common)
    children.push(third)
    await third.hear(completes(second.completed + 2))
    await end(third)
    check(out, third.completed)
  } catch (cause) {
    throw new Error(`frozen at "${event}" of batch ${freeze.batchId}`, { cause })
  } finally {
    for (const child of children) child.signal('SIGKILL')
  }
}

function completes(batchId: number) {
  return (said: { readonly kind: string; readonly batchId?: number }): boolean =>
    said.kind === 'batch-completed' && (said.batchId ?? 0) >= batchId
}

async function end(child: EngineChild): Promise<void> {
  child.stop()
  const ended = await child.hear(({ kind }) => kind === 'ended')
  await child.gone()
  if ('code' in ended && ended.code !== undefined) throw new Error(ended.message)
}

/** What readers saw, by path: when it was published, and its manifest. */
type Published = ReadonlyMap<string, string>

function publishedIn(out: string): Published {
  const found = new Map<string, string>()
  for (const output of WRITTEN[NAME].outputs) {
    for (const name of readdirSync(join(out, output))) {
      if (!name.startsWith('batch-')) continue
      const path = join(out, output, name)
      const manifest = readFileSync(join(path, '_manifest.json'), 'utf8')
      found.set(path, `${statSync(path).ino} ${manifest}`)
    }
  }
  return found
}

/** What was there is there and the same; what came since is of the second epoch. */
function checkPublished(out: string, before: Published): void {
  const now = publishedIn(out)
  for (const [path, content] of before) {
    if (now.get(path) !== content) throw new Error(`"${path}" must stay as it was`)
  }
  for (const [path, content] of now) {
    if (before.has(path)) continue
    const { epoch } = JSON.parse(content.slice(content.indexOf('{'))) as { epoch: number }
    if (epoch !== 2) throw new Error(`"${path}" must be of epoch 2, got ${epoch}`)
  }
}

function check(out: string, to: number): void {
  const expected = WRITTEN[NAME].expected(writtenInput(ZOMBIE_INPUT.batches, ZOMBIE_INPUT.records))
  const ids = Array.from({ length: to }, (_, i) => i + 1)
  checkOutputs(NAME, expected, (output) => batchesIn(join(out, output)), ids)
}
