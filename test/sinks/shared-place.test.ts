// Two outputs in one place: a batch of one would stand in the way of the other's.

import { type DStream, pipeline, type StreamingContext, start } from 'millrace'
import { files } from 'millrace/sinks'
import { ScriptedReceiver } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

function started(outputs: (ssc: StreamingContext) => void): Promise<unknown> {
  return start(pipeline('shared', { batchInterval: 10, checkpoint: false }, outputs))
}

function numbers(ssc: StreamingContext): DStream<number> {
  return ssc.receive(new ScriptedReceiver<number>([{ at: 0, store: [1, 2] }]))
}

describe('two outputs that would write to one place are refused', () => {
  test('files of one folder, however it is spelled', async () => {
    const twice = started((ssc) => {
      const stream = numbers(ssc)
      stream.writeTo(files('out'))
      stream.map((n) => n + 1).writeTo(files('./other/../out'))
    })
    await expect(twice).rejects.toThrow(
      'Cannot start: outputs 0 and 1 both write to "files:./other/../out"',
    )
  })

  test('saved files of one prefix', async () => {
    const twice = started((ssc) => {
      numbers(ssc).saveAsTextFiles('out/words')
      numbers(ssc).saveAsJsonFiles('out/words')
    })
    await expect(twice).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
