/** A part of the page that is fetched when it is first wanted. */
import { useEffect, useState } from 'preact/hooks'

/** Null until it is there; it stays. `load` is the same function each time. */
export function useLazy<Part>(isWanted: boolean, load: () => Promise<Part>): Part | null {
  const [part, setPart] = useState<{ readonly it: Part } | null>(null)
  useEffect(() => {
    if (!isWanted || part !== null) return
    load().then(
      (it) => setPart({ it }),
      // The next look asks again.
      () => {},
    )
  }, [isWanted])
  return part?.it ?? null
}
