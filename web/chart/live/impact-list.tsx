/** Whom a change touches now: the removed and changed places that somebody stands in, by version. */
import type { Chart } from '../../../src/charts/chart.ts'
import type { Impact } from '../../../src/charts/live/measure-impact.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { toDuration } from '../../../src/charts/to-duration.ts'

type Props = { readonly impact: readonly Impact[]; readonly chart: Chart; readonly onGo: (id: string) => void }

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
              {what === 'transition' && ' (a transition out of it)'}: {open.toLocaleString('en')} open
              <span class="goal">
                {Object.entries(byVersion)
                  .map(([version, count]) => `version ${version}: ${count.toLocaleString('en')}`)
                  .join(', ')}
                {oldestAt !== null && `; the oldest for ${toDuration(Math.max(0, now - Date.parse(oldestAt)))}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
