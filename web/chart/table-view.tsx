/** The chart as a table: the same content, one row for each transition. */
import { toTransitionRows } from '../../src/charts/export/transition-rows.ts'
import type { View } from '../../src/charts/library.ts'

type Props = {
  readonly view: View
  readonly selected: string | null
  readonly toClass: (id: string) => string
  readonly onSelect: (id: string) => void
}

export function TableView({ view, selected, toClass, onSelect }: Props) {
  const marks = view.comparison?.overlay.marks ?? {}
  return (
    <div class="table" tabIndex={0} role="region" aria-label="All transitions">
      <table>
        <caption class="visually-hidden">The transitions of {view.picture.title}</caption>
        <thead>
          <tr>
            {view.comparison !== null && <th scope="col">Change</th>}
            <th scope="col">From</th>
            <th scope="col">Event</th>
            <th scope="col">Guard</th>
            <th scope="col">Actions</th>
            <th scope="col">To</th>
          </tr>
        </thead>
        <tbody>
          {toTransitionRows(view.chart).map(({ id, source, event, guard, actions, target }) => {
            const tone = marks[id]?.tone
            return (
              <tr key={id} data-row={id} class={`${toClass(id)} ${tone ?? ''}`} aria-selected={id === selected}>
                {view.comparison !== null && (
                  <td>{tone !== undefined && <span class={`chip ${tone}`}>{tone}</span>}</td>
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
