/** The chart as a table: the same content, one row for each transition. */
import { toTransitionRows } from '../../src/charts/export/transition-rows.ts'
import type { Overlay } from '../../src/charts/drawing/overlay.ts'
import type { View } from '../../src/charts/library.ts'

type Props = {
  readonly view: View
  readonly overlay: Overlay | null
  readonly selected: string | null
  readonly toClass: (id: string) => string
  readonly onSelect: (id: string) => void
}

const columns = {
  compare: 'Change',
  coverage: 'Tests',
  findings: 'Findings',
  comments: 'Comments',
  replay: 'Replay',
  heat: 'Live',
} as const

export function TableView({ view, overlay, selected, toClass, onSelect }: Props) {
  const marks = overlay?.marks ?? {}
  const saysNote = overlay !== null && overlay.kind !== 'compare'
  return (
    <div class="table" tabIndex={0} role="region" aria-label="All transitions">
      <table>
        <caption class="visually-hidden">The transitions of {view.picture.title}</caption>
        <thead>
          <tr>
            {overlay !== null && <th scope="col">{columns[overlay.kind]}</th>}
            <th scope="col">From</th>
            <th scope="col">Event</th>
            <th scope="col">Guard</th>
            <th scope="col">Actions</th>
            <th scope="col">To</th>
          </tr>
        </thead>
        <tbody>
          {toTransitionRows(view.chart).map(({ id, source, event, guard, actions, target }) => {
            const { tone, note = null } = marks[id] ?? {}
            return (
              <tr key={id} data-row={id} class={`${toClass(id)} ${tone ?? ''}`} aria-selected={id === selected}>
                {overlay !== null && (
                  <td>{tone !== undefined && <span class={`chip ${tone}`}>{saysNote ? note : tone}</span>}</td>
                )}
                <td>{source}</td>
                <td>
                  <button type="button" class="link" onClick={() => onSelect(id)}>
                    {event}
                  </button>
                </td>
                <td>{guard}</td>
                <td class="actions">{actions}</td>
                <td>{target}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
