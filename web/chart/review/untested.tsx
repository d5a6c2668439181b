/** What the change touches and no test walks, first; each leads to its arrow. */
import type { View } from '../../../src/charts/library.ts'
import { readCoverage } from '../api.ts'
import { useAsked } from '../use-asked.ts'

type Props = { readonly view: View; readonly baseRef: string; readonly onGo: (id: string) => void }

export function Untested({ view, baseRef, onGo }: Props) {
  const { answer, problem } = useAsked(`${view.ref} ${view.hash} ${baseRef}`, async () =>
    readCoverage(view.ref, baseRef),
  )
  const items = answer?.items ?? []
  const changed = items.filter(({ isChanged, what }) => isChanged && what === 'transition')
  const open = changed.filter(({ kind }) => kind !== 'covered')
  const others = items.filter(({ kind, isChanged }) => kind === 'uncovered' && !isChanged)
  return (
    <section aria-label="Tests">
      <h3>What is not tested?</h3>
      {problem !== null && <p class="hint">{problem}</p>}
      {answer !== null && (
        <p>
          {changed.length === 0
            ? 'No transition was added or changed.'
            : `${changed.length - open.length} of ${changed.length} added or changed transitions are walked by a test.`}
          {!answer.of.isThisChart && ` The tests walked version ${answer.of.version}, before the change.`}
        </p>
      )}
      <ul class="links">
        {[...open, ...others].map(({ id, kind, sentence, reason, isChanged }) => (
          <li key={id}>
            <button type="button" onClick={() => onGo(id)}>
              <span class={`chip ${kind === 'uncovered' ? 'removed' : ''}`}>
                {isChanged ? 'changed, ' : ''}
                {kind === 'uncovered' ? 'no test' : 'excused'}
              </span>{' '}
              {sentence}
              {reason !== null && <span class="goal">{reason}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
