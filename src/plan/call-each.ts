/** Calls `call` for each item, at most `concurrency` at a time, and gives the results in the order
 * of the items. Once a call has failed none begins any more; when those that had begun are over,
 * rejects with the failure of the first item that has one, whichever came first in time. */
export async function callEach<T, R>(
  items: readonly T[],
  concurrency: number,
  call: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length)
  const failures: { readonly index: number; readonly error: unknown }[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++
      try {
        results[index] = await call(items[index] as T)
      } catch (error) {
        failures.push({ index, error })
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  const [first] = failures.sort((a, b) => a.index - b.index)
  if (first !== undefined) throw first.error
  return results
}
