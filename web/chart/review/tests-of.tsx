/** Which tests walk one state or transition, or why none does. */
import type { View } from '../../../src/charts/library.ts'
import { readCoverage } from '../api.ts'
import { useAsked } from '../use-asked.ts'

export function TestsOf({ view, about }: { readonly view: View; readonly about: string }) {
  const baseRef = view.comparison?.baseRef ?? null
  const { answer } = useAsked(`${view.ref} ${baseRef ?? ''}`, async () => readCoverage(view.ref, baseRef))
  const item = answer?.items.find(({ id }) => id === about)
  if (item === undefined) return null
  const { kind, walks, names, reason, isChanged } = item
  return (
    <section aria-label="Tests of this">
      <h3>{kind === 'covered' ? `Walked by ${walks === 1 ? '1 test' : `${walks} tests`}` : 'Not tested'}</h3>
      {kind === 'uncovered' && (
        <p class="problem">{isChanged ? 'It was added or changed, and no test walks it.' : 'No test walks it.'}</p>
      )}
      {reason !== null && kind !== 'covered' && <p class="hint">{reason}</p>}
      {names.length > 0 && (
        <p class="hint">
          {names.join(', ')}
          {walks > names.length && `, and ${walks - names.length} more`}
        </p>
      )}
    </section>
  )
}
