/** Keys that hold everywhere on the page, unless somebody writes. */
import { useEffect, useRef } from 'preact/hooks'
import type { Address } from './address.ts'
import type { Go } from './use-address.ts'

type Keys = {
  readonly go: Go
  readonly address: Address
  readonly searchField: { readonly current: HTMLInputElement | null }
  readonly panel: { readonly current: HTMLElement | null }
  readonly onStepChange: (by: 1 | -1) => void
  readonly onBack: () => void
  /** Ends the choosing of a state; null while none is wanted. */
  readonly onCancel: (() => void) | null
}

export function useKeys(keys: Keys): void {
  const newest = useRef(keys)
  newest.current = keys
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const { go, address, searchField, panel, onStepChange, onBack, onCancel } = newest.current
      const target = event.target as HTMLElement
      const isWriting = target.matches('input, select, textarea')
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === 'Escape') {
        if (onCancel !== null) return onCancel()
        if (target === searchField.current) go({ search: '' })
        if (panel.current?.contains(target) === true || isWriting) onBack()
        return
      }
      if (isWriting) return
      if (event.key === '/') searchField.current?.focus()
      else if (event.key === 't') go({ isTable: !address.isTable }, 'push')
      else if (event.key === 'n') onStepChange(1)
      else if (event.key === 'p') onStepChange(-1)
      else return
      event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
}
