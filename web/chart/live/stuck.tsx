/** States by how much of the time that they give the slowest twentieth has used up; who should have left can be listed. */
import type { StuckAnswer, StuckItem } from '../../../src/charts/live/live-answer.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { toDuration } from '../../../src/charts/to-duration.ts'
import { ask } from '../api.ts'
import { useFresh } from '../use-fresh.ts'
import { toAge } from './to-age.ts'

type Props = {
  readonly chart: string
  readonly root: string
  readonly moment: string
  readonly onGo: (id: string) => void
  /** Lists who stands there for too long. */
  readonly onOver: (id: string) => void
}

/** Nobody needs to know by the second; it costs more than a count. */
const restMs = 2_000

export function Stuck({ chart, root, moment, onGo, onOver }: Props) {
  const { answer, problem } = useFresh(
    chart,
    moment,
    async () => ask<StuckAnswer>(`/api/charts/${encodeURIComponent(chart)}/stuck`),
    restMs,
  )
  const standing = answer?.states.filter(({ open }) => open > 0) ?? []
  return (
    <section aria-label="Stuck">
      <h3>Who stands too long</h3>
      {problem !== null && <p class="problem">{problem}</p>}
      {answer !== null && standing.length === 0 && <p class="hint">No conversation is open.</p>}
      <ul class="links stuck">
        {standing.map((state) => (
          <li key={state.id} data-stuck={state.id}>
            <button type="button" onClick={() => onGo(state.id)}>
              <b>{toTargetName(state.id, root)}</b> {state.open.toLocaleString('en')} open
              <Used state={state} />
            </button>
            {state.older > 0 && (
              <button type="button" class="over" onClick={() => onOver(state.id)}>
                <span class="chip removed">{state.older.toLocaleString('en')} over the limit</span>
                <span class="visually-hidden"> in {toTargetName(state.id, root)}</span>
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Used({ state: { p95Ms, limitMs, ownLimitsMs } }: { readonly state: StuckItem }) {
  const [least, most] = ownLimitsMs ?? [limitMs, limitMs]
  if (least === null || most === null) return <span class="goal">p95 {toAge(p95Ms ?? 0)}, no timer leaves it</span>
  const isOwn = limitMs !== null && least !== limitMs && most !== limitMs
  return (
    <>
      <meter min={0} max={1} high={0.99} optimum={0} value={(p95Ms ?? 0) / most} aria-hidden="true" />
      <span class="goal">
        p95 {toAge(p95Ms ?? 0)} of {least === most ? toDuration(most) : `${toDuration(least)} to ${toDuration(most)}`}
        {isOwn && ` (chart: ${toDuration(limitMs)})`}
      </span>
    </>
  )
}
