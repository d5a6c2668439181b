/** What the colours of the thing that is laid over the chart mean. Live numbers are not read aloud whenever one changes. */
import type { LegendItem } from './review/overlays.ts'

export function Legend({ items }: { readonly items: readonly LegendItem[] }) {
  if (items.length === 0) return null
  const isLive = items.some(({ text }) => text === 'live')
  return (
    <p class="legend" role={isLive ? undefined : 'status'}>
      {items.map(({ tone, text, heat }) =>
        heat === undefined ? (
          <span key={text} class={tone === '' ? 'tag' : `chip ${tone}`}>
            {text}
          </span>
        ) : (
          <span key={text} class="swatch">
            <svg class="chart heat" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
              <g class={`heat-${heat}`}>
                <rect class="frame" x="1" y="1" width="12" height="12" rx="3" />
              </g>
            </svg>
            {text}
          </span>
        ),
      )}
    </p>
  )
}
