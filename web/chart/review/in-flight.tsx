/** Whether the conversations that stand somewhere now can go on with the proposed machine; who could not, and why. */
import { useState } from 'preact/hooks'
import type { View } from '../../../src/charts/library.ts'
import type { InFlightResult, InFlightState } from '../../../src/charts/review/in-flight-result.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'
import { toClock } from '../to-clock.ts'
import { MapEditor } from './map-editor.tsx'
import type { Mapping } from './mapping.ts'
import { checkInFlight } from './review-api.ts'

type Props = {
  /** With the maps that are kept. */
  readonly result: InFlightResult
  readonly view: View
  readonly root: string
  readonly isKnown: (id: string) => boolean
  readonly onGo: (id: string) => void
  /** Lists who stands in a state. */
  readonly onList: (id: string) => void
  readonly onMapping: (mapping: Mapping | null) => void
}

/** What a later check said, with the map that it was asked with. */
type Tried = { readonly of: InFlightResult; readonly result: InFlightResult; readonly map: MigrationMap | null }

export function InFlight({ result: kept, view, root, isKnown, onGo, onList, onMapping }: Props) {
  const [tried, setTried] = useState<Tried | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const current = tried?.of === kept ? tried : null
  const { result, map } = current ?? { result: kept, map: null }
  const checkAgain = async (): Promise<void> => {
    try {
      setTried({ of: kept, map, result: await checkInFlight(view.ref, map) })
      setProblem(null)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const { total, open, counts, states, dryRun } = result
  const shown = states.filter(({ outcome }) => outcome !== 'ok')
  return (
    <section aria-label="Stored conversations">
      <h3>Can everybody go on?</h3>
      <p>
        {total.toLocaleString('en')} stored conversations, {open.toLocaleString('en')} of them open:{' '}
        {counts.blocked === 0 ? 'all can go on' : `${counts.blocked.toLocaleString('en')} cannot`}
        {counts.mapped > 0 && `, ${counts.mapped.toLocaleString('en')} by the migration map`}.
        <span class="goal">
          {' '}
          {dryRun.restored} of {dryRun.tried} that were tried out went on. As of {toClock(result.at)}.
        </span>{' '}
        <button type="button" class="link" onClick={() => void checkAgain()}>
          Check again
        </button>
      </p>
      {problem !== null && <p class="problem">{problem}</p>}
      <ul class="links">
        {shown.map((state) => (
          <li key={state.shape} class="in-flight">
            <button
              type="button"
              disabled={!state.stateIds.some(isKnown)}
              onClick={() => onGo(state.stateIds.find(isKnown) ?? '')}
            >
              <span class={`chip ${state.outcome === 'blocked' ? 'removed' : ''}`}>
                {state.count.toLocaleString('en')} {state.outcome}
              </span>{' '}
              <b>{state.stateIds.map((id) => toTargetName(id, root)).join(', ')}</b> of {state.machineVersion}
              <Reasons state={state} />
            </button>
            {state.stateIds.filter(isKnown).map((id) => (
              <button key={id} type="button" class="link" onClick={() => onList(id)}>
                List who stands in {toTargetName(id, root)}
              </button>
            ))}
          </li>
        ))}
      </ul>
      <MapEditor
        view={view}
        result={result}
        onTried={(next, tryingMap) => setTried({ of: kept, map: tryingMap, result: next })}
        onMapping={onMapping}
      />
    </section>
  )
}

function Reasons({ state: { reasons } }: { readonly state: InFlightState }) {
  return (
    <>
      {reasons.map(({ kind, subject, sentence }) => (
        <span key={`${kind} ${subject}`} class="goal">
          {sentence}
        </span>
      ))}
    </>
  )
}
