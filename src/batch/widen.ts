/** Literal types widened, so that pairs made with `as const` reduce: 1 becomes number. */
export type Widen<V> = V extends number
  ? number
  : V extends string
    ? string
    : V extends boolean
      ? boolean
      : V extends bigint
        ? bigint
        : V
