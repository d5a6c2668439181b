/** States by how long the slowest twentieth stands there, beside the timer that should have moved them. */
import type { StuckAnswer } from '../../../src/charts/live/live-answer.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { toDuration } from '../../../src/charts/to-duration.ts'
import { ask } from '../api.ts'
import { useAsked } from '../use-asked.ts'
import { toAge } from './to-age.ts'

type Props = {
  readonly chart: string
  readonly root: string
  readonly moment: string
  readonly onGo: (id: string) => void
}

export function Stuck({ chart, root, moment, onGo }: Props) {
  const { answer, problem } = useAsked(JSON.stringify([chart, moment]), async () =>
    ask<StuckAnswer>(`/api/charts/${encodeURIComponent(chart)}/stuck`),
  )
  const standing = answer?.states.filter(({ open }) => open > 0) ?? []
  return (
    <section aria-label="Stuck">
      <h3>Who stands too long</h3>
      {problem !== null && <p class="problem">{problem}</p>}
      {answer !== null && standing.length === 0 && <p class="hint">No conversation is open.</p>}
      <ul class="links">
        {standing.map(({ id, open, p95Ms, limitMs, older }) => (
          <li key={id} data-stuck={id}>
            <button type="button" onClick={() => onGo(id)}>
              {older > 0 && <span class="chip removed">{older.toLocaleString('en')} over the limit</span>}{' '}
              <b>{toTargetName(id, root)}</b> {open.toLocaleString('en')} open
              <span class="goal">
                p95 {toAge(p95Ms ?? 0)}, {limitMs === null ? 'no timer known' : `limit ${toDuration(limitMs)}`}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
