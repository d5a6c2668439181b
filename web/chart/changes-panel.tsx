/** What changed between two versions, the most dangerous first, and which of them is shown. */
import type { View } from '../../src/charts/library.ts'
import { phases, type Phase } from './address.ts'
import { WasNow } from './details-panel.tsx'

type Props = {
  readonly comparison: NonNullable<View['comparison']>
  readonly selected: string | null
  readonly phase: Phase
  readonly onPhase: (phase: Phase) => void
  readonly onGo: (id: string) => void
}

const names: { readonly [phase in Phase]: string } = { both: 'Both', before: 'Before', after: 'After' }

export function ChangesPanel({ comparison, selected, phase, onPhase, onGo }: Props) {
  const { base, head, changes } = comparison
  return (
    <>
      <h2>
        {base.version} to {head.version}
      </h2>
      <fieldset class="choice">
        <legend class="visually-hidden">Version shown</legend>
        {phases.map((one) => (
          <label key={one}>
            <input type="radio" name="phase" checked={phase === one} onChange={() => onPhase(one)} />
            <span>{names[one]}</span>
          </label>
        ))}
      </fieldset>
      {changes.length === 0 && <p class="hint">Nothing changed.</p>}
      <ol class="changes">
        {changes.map(({ kind, ids, sentence, was, now }) => {
          const isSelected = selected !== null && ids.includes(selected)
          return (
            <li key={`${ids.join()} ${sentence}`} class={kind}>
              <button
                type="button"
                aria-current={isSelected ? 'true' : undefined}
                onClick={() => ids[0] !== undefined && onGo(ids[0])}
              >
                <span class={`chip ${kind}`}>{kind}</span> {sentence}
              </button>
              {isSelected && (was !== null || now !== null) && <WasNow was={was} now={now} />}
            </li>
          )
        })}
      </ol>
    </>
  )
}
