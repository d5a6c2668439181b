/** The tabs of the panel beside the chart. */
import { tabs, type Tab } from './address.ts'
import type { Go } from './use-address.ts'

type Props = {
  readonly tab: Tab
  readonly hasComparison: boolean
  /** Those that nobody has allowed. */
  readonly findings: number
  readonly go: Go
}

const tabNames: { readonly [tab in Tab]: string } = {
  details: 'Details',
  simulate: 'Simulate',
  changes: 'Changes',
  findings: 'Findings',
  review: 'Review',
  live: 'Live',
}

export function Tabs({ tab, hasComparison, findings, go }: Props) {
  const shown = tabs.filter((one) => one !== 'changes' || hasComparison || tab === 'changes')
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (by === 0) return
    const next = shown[(shown.indexOf(tab) + by + shown.length) % shown.length]
    if (next === undefined) return
    go({ tab: next })
    document.getElementById(`tab-${next}`)?.focus()
    event.preventDefault()
  }
  return (
    <div class="tabs" role="tablist" aria-label="About the chart" onKeyDown={onKeyDown}>
      {shown.map((one) => (
        <button
          key={one}
          id={`tab-${one}`}
          type="button"
          role="tab"
          aria-selected={one === tab}
          aria-controls="panel"
          tabIndex={one === tab ? 0 : -1}
          onClick={() => go({ tab: one })}
        >
          {tabNames[one]}
          {one === 'findings' && findings > 0 && <span class="count">{findings}</span>}
        </button>
      ))}
    </div>
  )
}
