import { ConfigError } from '../../errors.ts'

/** How to reach a server; what is left out comes from the environment, as for `psql`: PGHOST,
 * PGPORT, PGDATABASE, PGUSER, PGPASSWORD. */
export interface PostgresConnection {
  /** Name or address, or the folder of a Unix socket. @default PGHOST, or localhost */
  readonly host?: string
  /** @default PGPORT, or 5432 */
  readonly port?: number
  /** @default PGDATABASE, or the name of the user */
  readonly database?: string
  /** @default PGUSER, or the user of the process */
  readonly user?: string
  /** A function is called for each connection, so that passwords may expire. @default PGPASSWORD */
  readonly password?: string | (() => string | Promise<string>)
  /** True, or the options of Node's `tls.connect`. @default PGSSLMODE, or none */
  readonly ssl?: boolean | object
}

/** Where the records of a stream go, and how. */
export interface PostgresOptions<T> {
  /** A `postgres://` URL, or its parts. @default the environment, as for `psql` */
  readonly connection?: string | PostgresConnection
  /** The table's name, exactly; it must exist. */
  readonly table: string
  /** The table's schema. @default the first in the search path that has the table */
  readonly schema?: string
  /** The columns that are written: names of properties of a record, or a function of the record for
   * each. Others get their defaults. `undefined` and `null` are NULL. */
  readonly columns: readonly string[] | Readonly<Record<string, (record: T) => unknown>>
  /** `insert` adds a row for each record. `upsert` replaces the row with the same `key`: the last
   * record of a key counts. @default 'insert' */
  readonly mode?: 'insert' | 'upsert'
  /** The columns that tell rows apart, for `upsert`: they need a unique index of their own. */
  readonly key?: readonly string[]
  /** The schema of millrace's own tables; made if it is missing. @default 'millrace' */
  readonly bookkeeping?: string
  /** Connections of each thread. The driver has as many again. @default 2 */
  readonly connectionsMax?: number
}

/** Gives the value of one column of a record. */
export type ColumnOf<T> = (record: T) => unknown

/** The options, checked. Names are quoted: they can be put into a statement as they are. */
export interface PostgresSettings<T> {
  readonly connection: string | PostgresConnection | undefined
  /** As the options have it, for messages. */
  readonly table: string
  /** Quoted, with the schema if there is one. */
  readonly target: string
  /** The columns in order, unquoted. */
  readonly columns: readonly string[]
  readonly getters: readonly ColumnOf<T>[]
  /** Unquoted; undefined: insert. */
  readonly key: readonly string[] | undefined
  /** Quoted. */
  readonly bookkeeping: string
  readonly connectionsMax: number
}

const NAME_BYTES_MAX = 63
/** What the columns of a staging table begin with that are not the target's. */
export const OWN_COLUMNS = '_millrace_'
const CONNECTIONS_MAX = 100

/** Quotes a name, so that it is that name whatever it holds. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Checks the options. Throws ConfigError. */
export function settingsOf<T>(options: PostgresOptions<T>): PostgresSettings<T> {
  const { connection, table, schema, mode = 'insert', bookkeeping = 'millrace' } = options
  const { connectionsMax = 2 } = options
  checkName(table, 'table')
  if (schema !== undefined) checkName(schema, 'schema')
  checkName(bookkeeping, 'bookkeeping schema')
  const [columns, getters] = columnsOf(options)
  if (mode !== 'insert' && mode !== 'upsert') {
    throw refusal(table, `its mode is ${JSON.stringify(mode)}; use 'insert' or 'upsert'`)
  }
  if (!Number.isInteger(connectionsMax) || connectionsMax < 1 || connectionsMax > CONNECTIONS_MAX) {
    throw refusal(
      table,
      `connectionsMax is ${connectionsMax}; it must be a whole number from 1 to ${CONNECTIONS_MAX}`,
    )
  }
  return {
    connection,
    table,
    target: schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`,
    columns,
    getters,
    key: keyOf(options, columns),
    bookkeeping: quoted(bookkeeping),
    connectionsMax,
  }
}

function columnsOf<T>({
  table,
  columns,
}: PostgresOptions<T>): [columns: string[], getters: ColumnOf<T>[]] {
  const listed = Array.isArray(columns)
  if (!listed && (typeof columns !== 'object' || columns === null)) {
    throw refusal(table, 'it needs columns: a list of properties, or a function for each column')
  }
  const names: string[] = listed ? [...(columns as readonly string[])] : Object.keys(columns)
  if (names.length === 0) throw refusal(table, 'columns is empty; name at least one')
  for (const [i, name] of names.entries()) {
    checkName(name, `column of table "${table}"`)
    if (names.indexOf(name) < i) throw refusal(table, `column "${name}" is listed twice`)
    if (name.startsWith(OWN_COLUMNS)) {
      throw refusal(table, `column "${name}" begins with "${OWN_COLUMNS}"; rename it`)
    }
  }
  if (listed) return [names, names.map((name) => (record: T) => propertyOf(record, name))]
  const byName = columns as Readonly<Record<string, ColumnOf<T>>>
  for (const name of names) {
    if (typeof byName[name] !== 'function') {
      throw refusal(table, `column "${name}" must be a function of the record`)
    }
  }
  return [names, names.map((name) => byName[name] as ColumnOf<T>)]
}

function keyOf<T>(
  { table, mode, key }: PostgresOptions<T>,
  columns: readonly string[],
): readonly string[] | undefined {
  if (mode !== 'upsert') {
    if (key === undefined) return undefined
    throw refusal(table, `a key is for mode 'upsert' only; leave it out, or upsert`)
  }
  if (!Array.isArray(key) || key.length === 0) {
    throw refusal(table, `mode 'upsert' needs a key: the columns that tell rows apart`)
  }
  for (const [i, name] of (key as readonly string[]).entries()) {
    if (!columns.includes(name)) throw refusal(table, `key column "${name}" is not in columns`)
    if (key.indexOf(name) < i) throw refusal(table, `key column "${name}" is listed twice`)
  }
  return key as readonly string[]
}

function propertyOf(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null) {
    throw new TypeError(
      `a ${record === null ? 'null' : typeof record} has no property "${name}": give columns a ` +
        `function for each column`,
    )
  }
  return (record as Readonly<Record<string, unknown>>)[name]
}

function checkName(name: unknown, what: string): void {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : 0
  if (bytes > 0 && bytes <= NAME_BYTES_MAX && !(name as string).includes('\0')) return
  throw new ConfigError(
    `Cannot use ${JSON.stringify(name)} as name of a ${what}: it must be a text of 1 to ` +
      `${NAME_BYTES_MAX} bytes without a zero character`,
  )
}

function refusal(table: string, why: string): ConfigError {
  return new ConfigError(`Cannot write to PostgreSQL table "${table}": ${why}`)
}
