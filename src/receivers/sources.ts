export { ValuesBlock } from '../batch/values-block.ts'
export { queue } from './queue.ts'
