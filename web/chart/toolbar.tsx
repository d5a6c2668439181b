/** Which chart, compared with which, what is searched, and the files of it. */
import type { Ref } from 'preact'
import { layers, type Address } from './address.ts'
import { toFilePath, type ChartItem } from './api.ts'
import type { Go } from './use-address.ts'

export type ToolbarProps = {
  readonly items: readonly ChartItem[]
  readonly shown: ChartItem
  readonly base: ChartItem | null
  readonly address: Address
  readonly go: Go
  readonly matchCount: number
  readonly searchField: Ref<HTMLInputElement>
  readonly onNextMatch: (by: 1 | -1) => void
}

export function Toolbar({ items, shown, base, address, go, matchCount, searchField, onNextMatch }: ToolbarProps) {
  const others = items.filter(({ machine, ref }) => machine === shown.machine && ref !== shown.ref)
  const choose = (ref: string): void =>
    go({ chart: ref, base: null, selected: null, folds: [], viewport: null }, 'push')
  const compare = (ref: string): void => {
    const chosen = ref === '' ? null : ref
    go({ base: chosen, tab: chosen === null ? 'details' : 'changes', phase: 'both', viewport: null }, 'push')
  }
  return (
    <header class="toolbar">
      <h1>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <g fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
            <rect x="5" y="5" width="13" height="8" rx="2.5" />
            <rect x="14" y="19" width="13" height="8" rx="2.5" />
            <path d="M9 13v10h5" />
          </g>
        </svg>
        Charts
      </h1>
      <label class="field">
        <span>Chart</span>
        <select value={shown.ref} onChange={(event) => choose(event.currentTarget.value)}>
          {items.map((item) => (
            <option key={item.ref} value={item.ref}>
              {toName(item)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Compare with</span>
        <select
          value={base?.ref ?? ''}
          disabled={others.length === 0}
          onChange={(event) => compare(event.currentTarget.value)}
        >
          <option value="">{others.length === 0 ? 'no other version' : 'no other'}</option>
          {others.map((item) => (
            <option key={item.ref} value={item.ref}>
              {toName(item)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Show</span>
        <select
          value={address.layer ?? ''}
          onChange={(event) => {
            const { value } = event.currentTarget
            go({ layer: layers.find((one) => one === value) ?? null }, 'push')
          }}
        >
          <option value="">{address.tab === 'live' ? 'as the tab' : base === null ? 'kinds' : 'changes'}</option>
          {layers.map((layer) => (
            <option key={layer}>{layer}</option>
          ))}
        </select>
      </label>
      <div class="search">
        <input
          ref={searchField}
          type="search"
          aria-label="Search states, events, guards, actions and delays"
          placeholder="Search  /"
          value={address.search}
          onInput={(event) => go({ search: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onNextMatch(event.shiftKey ? -1 : 1)
          }}
        />
        <span role="status">{address.search.trim() === '' ? '' : toCount(matchCount)}</span>
      </div>
      <button
        type="button"
        class="plain"
        aria-pressed={address.isTable}
        onClick={() => go({ isTable: !address.isTable }, 'push')}
      >
        Table
      </button>
      <Files shown={shown} base={base} folds={address.folds} />
    </header>
  )
}

function Files({ shown, base, folds }: { shown: ChartItem; base: ChartItem | null; folds: readonly string[] }) {
  const forms = [
    ['svg', 'SVG, light and dark'],
    ['png', 'PNG'],
    ...(base === null ? ([['mmd', 'Mermaid']] as const) : []),
    ['md', base === null ? 'Markdown table' : 'Markdown review'],
    ['json', 'JSON'],
  ] as const
  return (
    <details class="menu">
      <summary>Files</summary>
      <ul>
        {forms.map(([form, name]) => (
          <li key={form}>
            <a href={toFilePath(shown.ref, form, base?.ref ?? null, folds)} target="_blank" rel="noreferrer">
              {name}
            </a>
          </li>
        ))}
      </ul>
    </details>
  )
}

function toName({ machine, version, source, ref }: ChartItem): string {
  if (source === 'draft') return `${machine} ${version} (draft)`
  return `${machine} ${version}${source === 'build' ? '' : ref.endsWith('+stored') ? ' (as kept)' : ' (kept)'}`
}

function toCount(count: number): string {
  return count === 0 ? 'nothing found' : count === 1 ? '1 match' : `${count} matches`
}
