import { useEffect, useState } from 'preact/hooks'

/** Whether the window is like this now; renders again when that changes. */
export function useMediaQuery(query: string): boolean {
  const [isMatching, setIsMatching] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const update = (): void => setIsMatching(list.matches)
    update()
    list.addEventListener('change', update)
    return () => list.removeEventListener('change', update)
  }, [query])
  return isMatching
}
