export type { PostgresConnection, PostgresOptions } from './options.ts'
export { postgres } from './postgres.ts'
