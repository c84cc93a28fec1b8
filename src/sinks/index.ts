export { type ConsoleOptions, console } from './console.ts'
export { files } from './files.ts'
