// IncreaseStreamRetentionPeriod, DecreaseStreamRetentionPeriod, UpdateMaxRecordSize,
// UpdateStreamMode, and the tags of a stream.

import type { StreamMode, Update } from './changes.ts'
import { checkAccountRate } from './control-rate.ts'
import {
  activeStreamOf,
  type CallContext,
  OF_STREAM,
  type OfStream,
  type Output,
  operation,
  streamOf,
} from './operation.ts'
import { invalid, invalidArgument } from './service-fault.ts'
import type { Stream } from './stream.ts'
import { MODE_DETAILS, TAG_MAP } from './stream-operations.ts'

interface RetentionInput extends OfStream {
  readonly RetentionPeriodHours: number
}

const RETENTION_MEMBERS = {
  ...OF_STREAM,
  RetentionPeriodHours: { type: 'Integer', required: true },
} as const
const RETENTION_MIN = 24
const RETENTION_MAX = 8_760

/** IncreaseStreamRetentionPeriod. */
export const increaseRetention = operation<RetentionInput>(RETENTION_MEMBERS, (input, context) => {
  const { stream, hours } = retentionOf(input, context)
  if (hours < stream.retentionHours) throw wrongWay(stream, hours, 'shorter', 'Decrease')
  return update(stream, context, { kind: 'retention', hours })
})

/** DecreaseStreamRetentionPeriod. */
export const decreaseRetention = operation<RetentionInput>(RETENTION_MEMBERS, (input, context) => {
  const { stream, hours } = retentionOf(input, context)
  if (hours > stream.retentionHours) throw wrongWay(stream, hours, 'longer', 'Increase')
  return update(stream, context, { kind: 'retention', hours })
})

function retentionOf(input: RetentionInput, context: CallContext) {
  checkAccountRate(context)
  const stream = activeStreamOf(input, context)
  const hours = input.RetentionPeriodHours
  if (hours < RETENTION_MIN) {
    throw invalidArgument(
      `Minimum allowed retention period is ${RETENTION_MIN} hours. ` +
        `Requested retention period (${hours} hours) is too short.`,
    )
  }
  if (hours > RETENTION_MAX) {
    throw invalidArgument(
      `Maximum allowed retention period is ${RETENTION_MAX} hours. ` +
        `Requested retention period (${hours} hours) is too long.`,
    )
  }
  return { stream, hours }
}

function wrongWay(stream: Stream, hours: number, how: string, other: string): Error {
  return invalidArgument(
    `Requested retention period (${hours} hours) for stream ${stream.name} can not be ${how} ` +
      `than existing retention period (${stream.retentionHours} hours). ` +
      `Use ${other}RetentionPeriod API.`,
  )
}

interface MaxRecordSizeInput extends OfStream {
  readonly MaxRecordSizeInKiB: number
}

/** UpdateMaxRecordSize. */
export const updateMaxRecordSize = operation<MaxRecordSizeInput>(
  {
    ...OF_STREAM,
    MaxRecordSizeInKiB: { type: 'Integer', required: true, min: 1_024, max: 10_240 },
  },
  (input, context) => {
    checkAccountRate(context)
    const stream = activeStreamOf(input, context)
    return update(stream, context, { kind: 'record-size', kib: input.MaxRecordSizeInKiB })
  },
)

interface StreamModeInput extends OfStream {
  readonly StreamModeDetails: { readonly StreamMode: StreamMode }
}

/** UpdateStreamMode. */
export const updateStreamMode = operation<StreamModeInput>(
  { ...OF_STREAM, StreamModeDetails: { ...MODE_DETAILS, required: true } },
  (input, context) => {
    checkAccountRate(context)
    const stream = activeStreamOf(input, context)
    return update(stream, context, { kind: 'mode', mode: input.StreamModeDetails.StreamMode })
  },
)

type Tags = Readonly<Record<string, string>>
const TAGS_MAX = 50

/** AddTagsToStream. */
export const addTags = operation<OfStream & { readonly Tags: Tags }>(
  { ...OF_STREAM, Tags: { ...TAG_MAP, required: true, min: 1 } },
  (input, context) => {
    checkAccountRate(context)
    const stream = streamOf(input, context)
    const tags = { ...stream.tags, ...input.Tags }
    const count = Object.keys(tags).length
    if (count > TAGS_MAX) {
      throw invalidArgument(
        `Failed to add tags to stream ${stream.name} under account ` +
          `${context.account.place.accountId} because a given stream cannot have more than ` +
          `${TAGS_MAX} tags associated with it.`,
      )
    }
    return update(stream, context, { kind: 'tags', tags })
  },
)

/** RemoveTagsFromStream. */
export const removeTags = operation<OfStream & { readonly TagKeys: readonly string[] }>(
  {
    ...OF_STREAM,
    TagKeys: {
      type: 'List',
      required: true,
      min: 1,
      max: 50,
      member: { type: 'String', min: 1, max: 128 },
    },
  },
  (input, context) => {
    checkAccountRate(context)
    const stream = streamOf(input, context)
    const kept = Object.entries(stream.tags).filter(([key]) => !input.TagKeys.includes(key))
    return update(stream, context, { kind: 'tags', tags: Object.fromEntries(kept) })
  },
)

interface ListTagsInput extends OfStream {
  readonly Limit?: number
  readonly ExclusiveStartTagKey?: string
}

/** ListTagsForStream. */
export const listTags = operation<ListTagsInput>(
  {
    ...OF_STREAM,
    Limit: { type: 'Integer', min: 1, max: 50 },
    ExclusiveStartTagKey: { type: 'String', min: 1, max: 128 },
  },
  (input, context) => {
    checkAccountRate(context)
    const stream = streamOf(input, context)
    const after = input.ExclusiveStartTagKey ?? ''
    const keys = Object.keys(stream.tags)
      .filter((key) => key > after)
      .sort((a, b) => (a < b ? -1 : 1))
    const page = keys.slice(0, input.Limit ?? TAGS_MAX)
    return {
      Tags: page.map((Key) => ({ Key, Value: stream.tags[Key] ?? '' })),
      HasMoreTags: page.length < keys.length,
    }
  },
)

type Setting =
  | Pick<Extract<Update, { kind: 'retention' }>, 'kind' | 'hours'>
  | Pick<Extract<Update, { kind: 'record-size' }>, 'kind' | 'kib'>
  | Pick<Extract<Update, { kind: 'mode' }>, 'kind' | 'mode'>
  | Pick<Extract<Update, { kind: 'tags' }>, 'kind' | 'tags'>

function update(stream: Stream, context: CallContext, setting: Setting): Output {
  const { nowMs, streamDelayMs } = context
  if (setting.kind === 'mode' && setting.mode === stream.mode) {
    throw invalid(`Stream ${stream.name} is in the mode ${stream.mode} already.`)
  }
  context.commit({ ...setting, stream: stream.name, atMs: nowMs, delayMs: streamDelayMs })
  return {}
}
