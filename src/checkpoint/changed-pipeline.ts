// Which changes of a pipeline its checkpoint cannot follow, beyond those of its state.
//
// The log knows sources by their place, so each keeps its own: the positions of one would be taken
// for those of another. And a batch that is run again may be in a sink already. A sink that knows
// it by the batch's id and the place where it writes finds it there. One that knows it by the
// output's ordinal does so only if that is the one under which it was written, perhaps by a run
// before the last: so an opening names such outputs for as long as a batch of theirs may be run
// again. docs/decisions/0016 has the reasons.

import type { LoggedOutput, LoggedSource, Opening, PlanRecord } from './format.ts'

/** What a pipeline is made of, in as much as its checkpoint must agree with it. */
export interface PipelineParts {
  /** Hash of its shape. */
  readonly planHash: string
  /** Its sources, by their ordinals. */
  readonly sources: readonly LoggedSource[]
  /** Its outputs whose sinks know a batch by the output's ordinal. */
  readonly outputs: readonly Omit<LoggedOutput, 'epoch'>[]
}

type Recorded = Pick<Opening, 'sources' | 'outputs'>

/** The sources that an opening declares: those of the pipeline, and behind them those that it has
 * no more. */
export function declaredSources(
  before: Recorded | undefined,
  { sources }: PipelineParts,
): LoggedSource[] {
  return [...sources, ...(before?.sources ?? []).slice(sources.length)]
}

/** The outputs that an opening declares: those of the pipeline, and those in which a batch that is
 * to be run again may be. */
export function declaredOutputs(
  before: Recorded | undefined,
  redo: readonly PlanRecord[],
  { outputs }: PipelineParts,
  epoch: number,
): LoggedOutput[] {
  const others = holdersOf(before?.outputs ?? [], redo).filter(
    ({ outputId }) => !outputs.some((output) => output.outputId === outputId),
  )
  return [...others, ...outputs.map((output) => ({ ...output, epoch }))]
}

/** Says which source does not stand where the checkpoint has it; undefined if each does. */
export function movedSource(
  { sources: before = [] }: Recorded,
  { sources: now }: PipelineParts,
): string | undefined {
  for (const [sourceId, source] of now.entries()) {
    const known = before[sourceId]
    if (known === undefined || known.name === source.name) continue
    // Neither has a position that means anything to the next run.
    if (!known.replayable && !source.replayable) continue
    return `source ${sourceId} must be "${known.name}", got "${source.name}"`
  }
  return undefined
}

/** Says why planned batches cannot be run again by the pipeline as it is now; undefined if they
 * can. */
export function hindrance(
  before: Recorded,
  redo: readonly PlanRecord[],
  now: PipelineParts,
): string | undefined {
  const why = goneSource(before, redo, now) ?? movedOutput(before, redo, now)
  const ids = redo.map(({ batchId }) => batchId).join(', ')
  return why === undefined ? undefined : `planned batches (${ids}) run again, and ${why}`
}

function goneSource(
  { sources: before = [] }: Recorded,
  redo: readonly PlanRecord[],
  { sources: now }: PipelineParts,
): string | undefined {
  const needed = redo.flatMap(({ sources }) => sources.map(({ sourceId }) => sourceId))
  const gone = needed.find((sourceId) => now[sourceId] === undefined)
  if (gone === undefined) return undefined
  const name = before[gone]?.name
  return `source ${gone}${name === undefined ? '' : ` "${name}"`}, which they read, is gone`
}

function movedOutput(
  { outputs: before }: Recorded,
  redo: readonly PlanRecord[],
  { outputs: now, planHash }: PipelineParts,
): string | undefined {
  const isOther = redo.some((plan) => plan.planHash !== planHash)
  if (before === undefined) return isOther ? unrecorded(now) : undefined
  const holders = holdersOf(before, redo)
  for (const { outputId, name } of holders) {
    const there = now.find((output) => output.outputId === outputId)
    if (there?.name === name) continue
    const moved = now.find((output) => output.name === name)
    const got = moved === undefined ? there && `"${there.name}"` : `it as output ${moved.outputId}`
    if (got === undefined) continue
    return `output ${outputId}, which may hold one, must be "${name}", got ${got}`
  }
  return isOther ? alike(holders, now) : undefined
}

/** The outputs in which one of these batches may be. */
function holdersOf(
  outputs: readonly LoggedOutput[],
  redo: readonly PlanRecord[],
): readonly LoggedOutput[] {
  return outputs.filter(({ epoch }) => redo.some((plan) => plan.epoch <= epoch))
}

function alike(
  holders: readonly LoggedOutput[],
  now: PipelineParts['outputs'],
): string | undefined {
  const twice = holders.find(({ name }) =>
    [holders, now].some((outputs) => outputs.filter((one) => one.name === name).length > 1),
  )
  if (twice === undefined) return undefined
  return (
    `outputs that may hold one must have different names where the pipeline has changed, got ` +
    `"${twice.name}" twice: nothing tells which is which`
  )
}

function unrecorded([output]: PipelineParts['outputs']): string | undefined {
  if (output === undefined) return undefined
  return (
    `the pipeline must be the one that planned them, got another: the checkpoint, of an earlier ` +
    `version, does not say which output was ${output.outputId}, now "${output.name}"`
  )
}
