export { queue, ValuesBlock } from './queue.ts'
