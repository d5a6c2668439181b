/** The steps as a list to read and to choose from: what happened, how long after the step before, and where it led. */
import { useEffect, useRef } from 'preact/hooks'
import type { TimelineStep } from '../../../src/charts/live/timeline.ts'
import { StateNames } from '../state-names.tsx'
import { toEventName } from '../to-event-name.ts'
import { toAge } from './to-age.ts'

type Props = {
  readonly steps: readonly TimelineStep[]
  readonly at: number
  readonly root: string
  readonly onChoose: (at: number) => void
}

/** So many around the one that is looked at. */
const shownMax = 40

export function StepList({ steps, at, root, onChoose }: Props) {
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [at])
  const from = Math.max(0, Math.min(at - shownMax / 2, steps.length - shownMax))
  const shown = steps.slice(from, from + shownMax)
  return (
    <section aria-label="Steps">
      {shown.length < steps.length && (
        <p class="goal">
          Steps {from + 1} to {from + shown.length}
        </p>
      )}
      <ol class="steps" ref={list}>
        {shown.map((step, place) => (
          <li key={step.version}>
            <button
              type="button"
              aria-current={from + place === at ? 'step' : undefined}
              onClick={() => onChoose(from + place)}
            >
              <span class="goal">{toGap(steps[from + place - 1], step)}</span>
              <span>
                {toEventName(step.event)}{' '}
                {step.from.join() !== step.to.join() && (
                  <b>
                    → <StateNames ids={step.to} root={root} />
                  </b>
                )}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  )
}

function toGap(before: TimelineStep | undefined, { at }: TimelineStep): string {
  if (before === undefined) return at.slice(11, 19)
  const ms = Date.parse(at) - Date.parse(before.at)
  return ms < 1_000 ? '' : `+ ${toAge(ms)}`
}
