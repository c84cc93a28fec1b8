// Types as values of `true`, so that a file of them compiles only while they hold. Nothing here or
// in the files beside it is run: the compiler is the test, and test/types/types.test.ts shows that
// it bites.

/** True if both are the same type, whatever is assignable to what; any is only itself. */
export type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** True for any alone. */
export type IsAny<T> = 0 extends 1 & T ? true : false

/** Compiles if all are true. */
export type All<_Claims extends readonly true[]> = true

/** Compiles if the value's type is the one expected, and no other. */
export declare function is<Expected>(): <Actual>(
  value: Actual,
  ...others: Same<Actual, Expected> extends true ? [] : [expected: Expected, got: Actual]
) => void
