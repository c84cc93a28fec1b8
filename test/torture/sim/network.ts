// An object store over a network that delays, loses, answers late and refuses.

import { crc32 } from 'node:zlib'
import * as sdk from '@aws-sdk/client-s3'
import { S3Store } from '../../../src/checkpoint/s3-store.ts'
import type { CheckpointStore } from '../../../src/checkpoint/store.ts'
import type { ScriptedS3 } from '../../checkpoint/scripted-s3.ts'
import type { SimProcess } from './process.ts'

/** Gives a process its way to the service. */
export function bucketOf(service: ScriptedS3, process: SimProcess): CheckpointStore {
  const client = {
    send(command: Parameters<ScriptedS3['send']>[0]): Promise<unknown> {
      const { input } = command
      const call = command.constructor.name.replace('Command', '')
      const content = input.Body === undefined ? '' : ` ${crc32(input.Body).toString(16)}`
      const about = `${input.Key ?? input.Prefix}${content}`
      return process.call('network', call, about, { run: () => service.send(command) })
    },
  }
  const random = () => process.world.pick(2 ** 30) / 2 ** 30
  const load = () => Promise.resolve(sdk)
  const { clock } = process
  return new S3Store({ bucket: 'checkpoints', client }, { clock, random, load })
}
