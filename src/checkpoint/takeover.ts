// Takes the next slot, and with it the next epoch: how long to wait for the owner before, and when
// to refuse.
//
// Waiting is courtesy. Whoever wins the slot owns the log, whatever the owner before believes; the
// fence check in log.ts is what keeps that one from the sinks. So a wrong guess about who lives can
// fence a process needlessly, and never harms a record.
//
// All that can be refused is refused before the slot is taken, so that a start that fails leaves a
// running owner alone. For the same reason the whole log is read once before, and again after.

import { randomUUID } from 'node:crypto'
import { type Clock, sleep } from '../clock.ts'
import { ConfigError, codeOf, StreamingError } from '../errors.ts'
import type { Logger } from '../events.ts'
import { hindrance, movedSource, type PipelineParts } from './changed-pipeline.ts'
import { Fence } from './fence.ts'
import type { Claim, Opening } from './format.ts'
import { encodeRecord, FORMAT, frameOf, heartbeatName, scanSlot, slotName } from './format.ts'
import { describeOwner, type OwnerProbe } from './owner.ts'
import { isClosed, type LogImage, listSlots, openingOf, readLog } from './recovery.ts'
import type { CheckpointStore } from './store.ts'

/** What to do about an owner that may be alive. */
export type Takeover = 'wait' | 'force' | 'refuse'

export interface TakeoverOptions extends PipelineParts {
  readonly store: CheckpointStore
  readonly pipeline: string
  readonly batchIntervalMs: number
  readonly stateful: readonly string[]
  readonly takeover: Takeover
  readonly leaseMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly probe: OwnerProbe
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** A slot that was won. */
export interface Taken {
  readonly slot: number
  readonly claim: Claim
  /** The claim's frame: the first bytes of the slot. */
  readonly bytes: Uint8Array
}

/** How often a waiting start looks whether the owner has gone: a hand-over takes that long at most.
 * An object store wants money for each look. */
const POLL_MS = { growing: 500, objects: 2_000 }

/** How often a log that changes meanwhile is read again. */
const READS_MAX = 20

/** How often a start may lose the race for a slot before it gives up. */
const RACES_LOST_MAX = 100

/** Wins the next slot, after the wait that `takeover` asks for. */
export async function takeSlot(options: TakeoverOptions): Promise<Taken> {
  const { store, pipeline, clock, probe, signal } = options
  for (let lost = 0; lost < RACES_LOST_MAX; lost += 1) {
    const view = await awaitTurn(options)
    const slot = view.slot + 1
    checkRedo(await readQuietly(store, signal), options)
    const claim: Claim = {
      format: FORMAT,
      epoch: view.epoch + 1,
      nonce: randomUUID(),
      owner: probe.current,
      pipeline,
      at: clock.wallMs(),
    }
    const bytes = frameOf(encodeRecord({ kind: 'claim', ...claim }), { slot, offset: 0 }, 0)
    if (!(await store.createIfAbsent(slotName(slot), bytes))) continue
    await checkNewest(store, slot, claim)
    return { slot, claim, bytes }
  }
  throw new StreamingError(
    'CHECKPOINT_IN_USE',
    `Cannot take checkpoint "${store.location}": the slot must be won within ${RACES_LOST_MAX} ` +
      `tries, and other processes were faster each time; stop them and start again`,
    { retryable: true },
  )
}

/** Reads the log, as it is now, of an owner that may live and delete what it needs no more between
 * two reads: what is missing then is no damage. */
async function readQuietly(
  store: CheckpointStore,
  signal: AbortSignal | undefined,
): Promise<LogImage> {
  let before = await endOf(store)
  for (let moved = 0; ; moved += 1) {
    try {
      return await readLog(store, Number.POSITIVE_INFINITY, signal)
    } catch (error) {
      const now = await endOf(store)
      const isDamage = now === before || moved === READS_MAX
      if (codeOf(error) !== 'CHECKPOINT_CORRUPT' || isDamage) throw error
      before = now
    }
  }
}

/** Differs if the log has grown. */
async function endOf(store: CheckpointStore): Promise<string> {
  const slot = (await listSlots(store)).at(-1) ?? 0
  return `${slot} ${(await store.read(slotName(slot)))?.length ?? 0}`
}

/** Rejects with FENCED if the slot that was won is not the newest. Others may have won it,
 * forgotten it and deleted it while this process slept before its claim: then it was free again. */
async function checkNewest(store: CheckpointStore, slot: number, claim: Claim): Promise<void> {
  const newest = (await listSlots(store)).at(-1)
  if (newest !== slot) throw await new Fence(store, claim).error(slot)
}

type CheckedParts = PipelineParts &
  Pick<TakeoverOptions, 'store' | 'pipeline' | 'batchIntervalMs' | 'stateful'>

/** Refuses a checkpoint that the pipeline cannot go on from, naming what differs. */
export function checkFits(opening: Opening, options: CheckedParts): void {
  const { store, pipeline, batchIntervalMs } = options
  if (opening.pipeline !== pipeline) throw foreign(store, opening.pipeline, pipeline)
  if (opening.batchIntervalMs !== batchIntervalMs) {
    const rule = `batchInterval must be ${opening.batchIntervalMs} ms as in the checkpoint`
    throw incompatible(options, `${rule}, got ${batchIntervalMs} ms`)
  }
  const moved = movedSource(opening, options)
  if (moved !== undefined) {
    const rule = 'its sources must be those of the checkpoint, in their order, new ones behind them'
    throw incompatible(options, `${rule}: ${moved}`)
  }
  const difference = differenceOf(opening.stateful, options.stateful)
  if (difference === undefined) return
  throw incompatible(
    options,
    `its stateful operators must be those of the checkpoint, ${difference}`,
  )
}

/** Refuses a checkpoint with batches that the pipeline, as it is now, cannot run again. */
export function checkRedo({ opening, ledger }: LogImage, options: CheckedParts): void {
  if (opening === undefined) return
  const rule = hindrance(opening, ledger.redo(), options)
  if (rule === undefined) return
  throw incompatible(
    options,
    rule,
    'start the pipeline as it was, once, and stop it gracefully: then it may change so',
  )
}

/** What the newest slot says about who holds the checkpoint. */
interface View {
  /** Newest slot, 0 if there is none. */
  readonly slot: number
  /** No epoch greater than this one was ever taken. */
  readonly epoch: number
  /** Undefined if there is no slot, or if its claim cannot be read. */
  readonly claim: Claim | undefined
  /** Bytes of the newest slot. */
  readonly length: number
  /** True if nobody holds the checkpoint: it is new, or was closed by its last owner. */
  readonly free: boolean
}

/** Resolves once the slot after the view's may be taken: when the owner has given no sign of life
 * for a lease, on this process's own clock.
 *
 * The time since the last sign counts from after the look that saw it to before the look that
 * still saw no other. So a sleep of this process between two looks takes nothing from the owner. */
async function awaitTurn(options: TakeoverOptions): Promise<View> {
  const { store, clock, takeover, leaseMs, signal } = options
  const pollMs = store.appends ? POLL_MS.growing : POLL_MS.objects
  let seen: string | undefined
  let seenMs = 0
  for (;;) {
    const lookedMs = clock.monotonicMs()
    const view = await look(options)
    if (view.free) return view
    if (isGone(view, options)) return takeOver(view, options, GONE)
    if (takeover === 'refuse') throw inUse(store, view.claim)
    if (takeover === 'force') return takeOver(view, options, 'as asked')
    if (seen === undefined) tellWait(view, options)
    const signs = await signsOf(view, store)
    if (signs !== seen) seenMs = clock.monotonicMs()
    else if (lookedMs - seenMs >= leaseMs) return takeOver(view, options, LAPSED)
    seen = signs
    const leftMs = seenMs + leaseMs - clock.monotonicMs()
    await sleep(clock, Math.min(pollMs, Math.max(0, leftMs)), signal).catch(() => {
      throw stoppedWaiting(store, view.claim)
    })
  }
}

/** What an owner that lives changes. */
async function signsOf({ slot, epoch, claim, length }: View, store: CheckpointStore) {
  const beat = await store.read(heartbeatName(epoch))
  return `${claim?.nonce} ${slot} ${length} ${Buffer.from(beat ?? []).toString('hex')}`
}

function isGone(view: View, { probe }: TakeoverOptions): boolean {
  return view.claim !== undefined && probe.isAlive(view.claim.owner) === false
}

const GONE = 'its process is gone'
const LAPSED = 'it gave no sign of life for a lease'

function tellWait(view: View, { store, logger }: TakeoverOptions): void {
  const fields = { checkpoint: store.location, owner: view.claim?.owner }
  logger.warn(fields, 'Waiting for another run to let go of the checkpoint')
}

function takeOver(view: View, { store, logger }: TakeoverOptions, why: string): View {
  const fields = { checkpoint: store.location, owner: view.claim?.owner, why }
  const message = 'Taking over the checkpoint of another run'
  if (why === GONE) logger.info(fields, message)
  else logger.warn(fields, message)
  return view
}

/** Reads from the newest slot down to the newest opening, and refuses what does not fit. */
async function look(options: TakeoverOptions): Promise<View> {
  const { store } = options
  const slots = await listSlots(store)
  let view: View | undefined
  for (const slot of slots.toReversed()) {
    const bytes = (await store.read(slotName(slot))) ?? new Uint8Array()
    const scan = scanSlot(slot, bytes)
    const first = scan.frames[0]?.record
    const claim = first?.kind === 'claim' || first?.kind === 'segment' ? first : undefined
    const { length } = bytes
    view ??= { slot, epoch: claim?.epoch ?? slot, claim, length, free: isClosed(scan) }
    if (claim !== undefined) checkReadable(claim, options)
    const opening = openingOf(scan)
    if (opening === undefined) continue
    checkFits(opening, options)
    break
  }
  return view ?? { slot: 0, epoch: 0, claim: undefined, length: 0, free: true }
}

function checkReadable(claim: Claim, options: TakeoverOptions): void {
  const { store, pipeline } = options
  if (claim.format > FORMAT) {
    throw incompatible(options, `its format must be ${FORMAT} or less, got ${claim.format}`)
  }
  if (claim.format < FORMAT) {
    const rule = `its format must be ${FORMAT}, got ${claim.format}, of a version before 0.1.0`
    throw incompatible(options, rule)
  }
  if (claim.pipeline !== pipeline) throw foreign(store, claim.pipeline, pipeline)
}

/** Says in words how two lists of stateful operators differ; undefined if they do not. */
function differenceOf(before: readonly string[], now: readonly string[]): string | undefined {
  const gone = before.filter((operator) => !now.includes(operator))
  const added = now.filter((operator) => !before.includes(operator))
  const parts = [
    ...(gone.length === 0 ? [] : [`${quoted(gone)} is gone`]),
    ...(added.length === 0 ? [] : [`${quoted(added)} is new`]),
  ]
  if (parts.length > 0) return parts.join(' and ')
  const isSame = before.length === now.length && before.every((one, index) => one === now[index])
  return isSame ? undefined : `in the order ${quoted(before)}, got ${quoted(now)}`
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ')
}

function foreign(store: CheckpointStore, theirs: string, ours: string): ConfigError {
  return new ConfigError(
    `Cannot start pipeline "${ours}" from checkpoint "${store.location}": a checkpoint ` +
      `belongs to one ` +
      `pipeline, and this one belongs to "${theirs}"; give "${ours}" a folder of its own`,
    { code: 'CHECKPOINT_FOREIGN' },
  )
}

function incompatible(
  { pipeline, store }: { readonly pipeline: string; readonly store: CheckpointStore },
  rule: string,
  remedy = 'start the pipeline as it was',
): ConfigError {
  return new ConfigError(
    `Cannot start pipeline "${pipeline}" from checkpoint "${store.location}": ${rule}; use a new ` +
      `folder to start from nothing, or ${remedy}`,
    { code: 'CHECKPOINT_INCOMPATIBLE' },
  )
}

function stoppedWaiting(store: CheckpointStore, claim: Claim | undefined): StreamingError {
  return new StreamingError(
    'CHECKPOINT_IN_USE',
    `Cannot take checkpoint "${store.location}": this start was told to stop while it waited for ` +
      `${holderOf(claim)}; start again`,
    { retryable: true },
  )
}

function holderOf(claim: Claim | undefined): string {
  return claim === undefined ? 'a process that cannot be read' : describeOwner(claim.owner)
}

function inUse(store: CheckpointStore, claim: Claim | undefined): StreamingError {
  return new StreamingError(
    'CHECKPOINT_IN_USE',
    `Cannot take checkpoint "${store.location}": takeover "refuse" needs one that nobody ` +
      `holds, and ${holderOf(claim)} does; stop that process, or start with takeover "wait" ` +
      `or "force"`,
    { retryable: true },
  )
}
