/** A longer copy of a typed array, of at least `lengthMin`; what is new is 0. */
export function grow<A extends Float64Array | Int32Array | Uint8Array>(
  array: A,
  lengthMin: number,
): A {
  const Longer = array.constructor as new (length: number) => A
  const longer = new Longer(Math.max(lengthMin, Math.ceil(array.length * 1.5)))
  longer.set(array)
  return longer
}
