/** The results that were asked for last, so many and no more. One that fails is forgotten at once. */
export type Recent<Result extends Promise<unknown>> = {
  take(key: string, make: () => Result): Result
}

export function createRecent<Result extends Promise<unknown>>(countMax: number): Recent<Result> {
  const results = new Map<string, Result>()
  return {
    take(key, make) {
      const known = results.get(key)
      results.delete(key)
      const result = known ?? make()
      results.set(key, result)
      const [oldest] = results.keys()
      if (results.size > countMax && oldest !== undefined) results.delete(oldest)
      if (known === undefined) result.catch(() => results.delete(key))
      return result
    },
  }
}
