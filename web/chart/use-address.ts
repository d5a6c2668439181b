/** The page's address as state: changing it changes what is shown, and going back goes back. */
import { useCallback, useEffect, useState } from 'preact/hooks'
import { readAddress, toQuery, type Address } from './address.ts'

export type Go = (change: Partial<Address>, how?: 'push' | 'replace') => void

export function useAddress(): readonly [Address, Go] {
  const [address, setAddress] = useState(() => readAddress(location.search))
  useEffect(() => {
    const read = (): void => setAddress(readAddress(location.search))
    addEventListener('popstate', read)
    return () => removeEventListener('popstate', read)
  }, [])
  const go: Go = useCallback((change, how = 'replace') => {
    setAddress((before) => {
      const after = { ...before, ...change }
      const path = `${location.pathname}${toQuery(after)}`
      if (path !== `${location.pathname}${location.search}`) {
        if (how === 'push') history.pushState(null, '', path)
        else history.replaceState(null, '', path)
      }
      return after
    })
  }, [])
  return [address, go]
}
