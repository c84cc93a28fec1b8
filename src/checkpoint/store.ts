// Where checkpoints live. The batch log is built on these few operations, so that a folder, an
// object store and a faulty store of a test are nearly the same to it: only whether an object can
// grow makes a difference, and only to who writes the end of the log.

/** How another thread makes a store: `new (await import(module))[name](input)`. */
export interface StoreRecipe {
  /** URL of the module that exports the class. */
  readonly module: string
  /** Name of the class in it. */
  readonly name: string
  /** What its constructor is given; structured-cloneable. */
  readonly input: unknown
}

/** Named byte objects with one atomic operation: create if absent.
 *
 * Names are relative paths with `/`, made of letters, digits, `-`, `_` and `.`.
 *
 * Implementers owe:
 * - `createIfAbsent` makes the whole object or nothing, has exactly one winner however many race
 *   for a name, and is durable (with its name) once it resolves to true;
 * - `append` adds at the end of an object that this process created; durable only after `sync`;
 * - `sync` makes durable all that `read` gives, whichever process appended it;
 * - `read` gives what was written, even if it is not durable yet; undefined if there is no such
 *   object;
 * - `put` replaces the whole object; which of two that overlap wins, and whether it is durable,
 *   does not matter. It ends within a few seconds, or rejects: a sign that is late is none. It may
 *   be called before `open`, or without, but not after `close`;
 * - `list` gives the names that start with `prefix`, in order of their UTF-16 units;
 * - `delete` of a missing object is no error;
 * - any method rejects with a StreamingError whose code is CHECKPOINT_UNWRITABLE if the medium
 *   refuses.
 *
 * Callers owe: a name is created once and, apart from `append`, never changed; or it is only ever
 * `put`. */
export interface CheckpointStore {
  /** Short name of the kind, such as `local` or `s3`. */
  readonly kind: string
  /** What to call this store in messages and in the table of stores in use: the same place, the
   * same text. */
  readonly location: string
  /** True if objects can grow. Where they cannot, as in an object store, `append` and `sync` are
   * never called, and each group of commits becomes an object of its own. */
  readonly appends: boolean
  /** How another thread makes the same store; undefined where it cannot. */
  readonly recipe?: StoreRecipe | undefined
  /** Calls that failed and were made again, where the store makes any again. */
  readonly retries?: number
  /** Makes the place ready; rejects with a message that says what to check. */
  open(): Promise<void>
  /** Makes an object, unless there is one of that name; gives whether it did. */
  createIfAbsent(name: string, bytes: Uint8Array): Promise<boolean>
  /** Adds bytes at the end of an object. */
  append(name: string, bytes: Uint8Array): Promise<void>
  /** Makes an object durable. */
  sync(name: string): Promise<void>
  /** Makes or replaces an object that tells nothing but that somebody lives. */
  put(name: string, bytes: Uint8Array): Promise<void>
  /** All bytes of an object; undefined if there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** True if there is an object of that name. */
  exists(name: string): Promise<boolean>
  /** The names that start with `prefix`, in order. */
  list(prefix: string): Promise<string[]>
  /** Removes an object, if there is one. */
  delete(name: string): Promise<void>
  /** Releases handles. The store may be opened again. */
  close(): Promise<void>
}
