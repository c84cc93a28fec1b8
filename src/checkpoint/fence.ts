// Tells an owner that another process has taken the log over, and who.

import { codeOf, StreamingError } from '../errors.ts'
import { type Claim, scanSlot, slotName } from './format.ts'
import { describeOwner } from './owner.ts'
import { listSlots } from './recovery.ts'
import type { CheckpointStore } from './store.ts'

/** Who was taken over meets failures of many kinds, such as a slot, or a snapshot, that is gone.
 * Gives the FENCED error that says why, or `error` if that is not the reason. */
export async function explained(
  error: unknown,
  takenOver: () => Promise<StreamingError | undefined>,
): Promise<unknown> {
  const code = codeOf(error)
  if (code !== 'CHECKPOINT_UNWRITABLE' && code !== 'CHECKPOINT_CORRUPT') return error
  try {
    return (await takenOver()) ?? error
  } catch (failure) {
    // Nobody is told to restore a backup while it is not known whether anything is damaged.
    return code === 'CHECKPOINT_CORRUPT' ? failure : error
  }
}

/** The looks by which an owner learns that it is none any more.
 *
 * A slot after its own means so. It may be gone again, once its owner forgot it; but slots are
 * deleted in order, so the sleeper's own went before it. A store that tries calls again may bring
 * it back: a request that was given up arrives when the slot is free. Then only the newest slot
 * tells, which is never deleted; looking for it costs more. */
export class Fence {
  readonly #store: CheckpointStore
  readonly #claim: Claim

  constructor(store: CheckpointStore, claim: Claim) {
    this.#store = store
    this.#claim = claim
  }

  /** Rejects with FENCED if another process took the log over from who holds `slot`: looking for
   * the next slot first and for its own second misses neither. */
  async check(slot: number): Promise<void> {
    const isMine = this.#mayReturn
      ? await this.#isNewest(slot)
      : !(await this.#store.exists(slotName(slot + 1))) &&
        (await this.#store.exists(slotName(slot)))
    if (!isMine) throw await this.error(slot)
  }

  /** Wins the slot after `slot`, or rejects with FENCED. A slot that others won and forgot is free
   * again: whoever finds its own still there knows that the next one never existed before. */
  async winNext(slot: number, bytes: Uint8Array): Promise<void> {
    const isWon = await this.#store.createIfAbsent(slotName(slot + 1), bytes)
    const isMine =
      isWon &&
      (this.#mayReturn ? await this.#isNewest(slot + 1) : await this.#store.exists(slotName(slot)))
    if (!isMine) throw await this.error(slot)
  }

  /** True once a slot that was deleted may be there again. */
  get #mayReturn(): boolean {
    return (this.#store.retries ?? 0) > 0
  }

  async #isNewest(slot: number): Promise<boolean> {
    return (await listSlots(this.#store)).at(-1) === slot
  }

  /** Gives the FENCED error if another process took the log over. Unlike `check` it may be asked
   * after a failure, when a slot after `slot` may be one of our own. */
  async takenOver(slot: number): Promise<StreamingError | undefined> {
    const newest = await this.#newest()
    const isOurs = newest.slot === slot || newest.claim?.nonce === this.#claim.nonce
    return isOurs ? undefined : await this.error(slot)
  }

  /** Gives the error of a process that holds `slot` and was taken over. */
  async error(slot: number): Promise<StreamingError> {
    const { pipeline, epoch } = this.#claim
    return new StreamingError(
      'FENCED',
      `Cannot go on with pipeline "${pipeline}" in epoch ${epoch}: checkpoint ` +
        `"${this.#store.location}" must have one owner, and ${await this.#successorOf(slot)}; ` +
        `run the pipeline in one place, or give each run a checkpoint of its own`,
    )
  }

  async #successorOf(slot: number): Promise<string> {
    const { slot: newest, claim } = await this.#newest()
    const isOurs = claim?.nonce === this.#claim.nonce
    if (newest <= slot || isOurs) return `slot "${slotName(slot)}" of this one was deleted`
    if (claim === undefined) return `slot "${slotName(newest)}" was taken`
    const { owner, epoch, at } = claim
    const time = new Date(at).toISOString()
    return `${describeOwner(owner)} took it over at ${time} (epoch ${epoch})`
  }

  async #newest(): Promise<{ slot: number; claim: Claim | undefined }> {
    const slot = (await listSlots(this.#store)).at(-1) ?? 0
    const bytes = slot === 0 ? undefined : await this.#store.read(slotName(slot))
    const first = bytes === undefined ? undefined : scanSlot(slot, bytes).frames[0]?.record
    return { slot, claim: first?.kind === 'claim' || first?.kind === 'segment' ? first : undefined }
  }
}
