/** Whom a change touches now: the removed and changed places that somebody stands in, by version. */
import type { Chart } from '../../../src/charts/chart.ts'
import type { Impact } from '../../../src/charts/live/measure-impact.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { toAge } from './to-age.ts'

type Props = { readonly impact: readonly Impact[]; readonly chart: Chart; readonly onGo: (id: string) => void }

/** What the transition out of it is called. */
function toName({ transitions }: Chart, wanted: string): string {
  const found = transitions.find(({ id }) => id === wanted)
  return `${found?.name ?? 'a transition'}${found === undefined || found.guard === null ? '' : ` [${found.guard.text}]`}`
}

export function ImpactList({ impact, chart, onGo }: Props) {
  const touched = impact.filter(({ open }) => open > 0)
  const now = Date.now()
  return (
    <section aria-label="Live impact">
      <h3>Whom the change touches</h3>
      {touched.length === 0 && <p class="hint">Nobody stands in what it removes or changes.</p>}
      <ul class="links">
        {touched.map(({ id, kind, what, stateId, open, byVersion, oldestAt }) => (
          <li key={id}>
            <button type="button" onClick={() => onGo(id)}>
              <span class={`chip ${kind}`}>{kind}</span> <b>{toTargetName(stateId, chart.root)}</b>
              {what === 'transition' && `, ${toName(chart, id)}`}: {open.toLocaleString('en')} open
              <span class="goal">
                {Object.entries(byVersion)
                  .map(([version, count]) => `version ${version}: ${count.toLocaleString('en')}`)
                  .join(', ')}
                {oldestAt !== null && `; the oldest for ${toAge(now - Date.parse(oldestAt))}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
