/** The results that were asked for last, so many and no more. One that fails, or is not worth keeping, is forgotten. */
export type Recent<Result> = {
  take(key: string, make: () => Promise<Result>): Promise<Result>
}

export function createRecent<Result>(countMax: number, isWorthKeeping: (result: Result) => boolean): Recent<Result> {
  const results = new Map<string, Promise<Result>>()
  const forget = (key: string): void => void results.delete(key)
  return {
    take(key, make) {
      const known = results.get(key)
      results.delete(key)
      const result = known ?? make()
      results.set(key, result)
      const [oldest] = results.keys()
      if (results.size > countMax && oldest !== undefined) results.delete(oldest)
      if (known === undefined) {
        result.then(
          (made) => isWorthKeeping(made) || forget(key),
          () => forget(key),
        )
      }
      return result
    },
  }
}
