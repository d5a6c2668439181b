/** The whole review of a change, from top to bottom: may it go, what it would have done, what is not tested, the verdict. */
import { useState } from 'preact/hooks'
import type { Overlay } from '../../../src/charts/drawing/overlay.ts'
import type { View } from '../../../src/charts/library.ts'
import { useAsked } from '../use-asked.ts'
import { AllThreads } from './comments.tsx'
import { InFlight } from './in-flight.tsx'
import { Replay, type Stepper } from './replay.tsx'
import type { Mapping } from './mapping.ts'
import { readReview, type ReviewAnswer } from './review-api.ts'
import './review.css'
import { Untested } from './untested.tsx'
import { Verdict } from './verdict.tsx'

export { MapWays } from './map-ways.tsx'

export type ReviewPanelProps = {
  readonly view: View
  readonly onGo: (id: string) => void
  readonly onParting: (overlay: Overlay | null) => void
  readonly onList: (id: string) => void
  readonly onMapping: (mapping: Mapping | null) => void
  /** What the keys n and p step through. */
  readonly stepper: { current: Stepper | null }
}

export function ReviewPanel(props: ReviewPanelProps) {
  const { view, onGo } = props
  const { comparison } = view
  const id = comparison === null ? null : `${view.chart.machine}@${comparison.base.version}..${comparison.head.version}`
  const asked = useAsked(id === null ? null : `${id} ${view.hash}`, async () => readReview(id ?? ''))
  const [decided, setDecided] = useState<ReviewAnswer | null>(null)
  const review = decided?.id === id && decided?.head.chart === view.hash ? decided : asked.answer
  if (comparison === null) {
    return (
      <>
        <h2>Review</h2>
        <p class="hint">Choose a version to compare with, at the top: then the change can be reviewed.</p>
        <AllThreads view={view} onGo={onGo} />
      </>
    )
  }
  return (
    <>
      <h2>
        Review {comparison.base.version} to {comparison.head.version}
      </h2>
      {asked.problem !== null && <p class="problem">{asked.problem}</p>}
      {review !== null && <Gate review={review} />}
      {review !== null && review.inFlight !== null && (
        <InFlight
          result={review.inFlight}
          view={view}
          root={view.chart.root}
          isKnown={(one) => view.chart.states.some((state) => state.id === one)}
          onGo={onGo}
          onList={props.onList}
          onMapping={props.onMapping}
        />
      )}
      <Replay {...props} comparison={comparison} />
      <Untested view={view} baseRef={comparison.baseRef} onGo={onGo} />
      <AllThreads view={view} onGo={onGo} />
      {review !== null && <Verdict review={review} onDecided={setDecided} />}
    </>
  )
}

function Gate({ review: { judgement } }: { readonly review: ReviewAnswer }) {
  return (
    <div class={`gate ${judgement.isGreen ? 'added' : 'removed'}`} role="status">
      <b>{judgement.isGreen ? 'May go' : 'May not go yet'}</b>
      <ul>
        {judgement.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  )
}
