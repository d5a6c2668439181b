/** The steps as a list to read and to choose from: what happened, how long after the step before, and where it led. */
import type { TimelineStep } from '../../../src/charts/live/timeline.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
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
  const from = Math.max(0, Math.min(at - shownMax / 2, steps.length - shownMax))
  const shown = steps.slice(from, from + shownMax)
  return (
    <section aria-label="Steps">
      <h3>
        Steps {from + 1} to {from + shown.length}
      </h3>
      <ol class="steps">
        {shown.map((step, place) => (
          <li key={step.version}>
            <button
              type="button"
              aria-current={from + place === at ? 'step' : undefined}
              onClick={() => onChoose(from + place)}
            >
              <span class="goal">{toGap(steps[from + place - 1], step)}</span>
              <span>
                {step.event}
                <b>{toPlace(step, root)}</b>
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

/** Nothing where it stayed where it was. */
function toPlace({ from, to }: TimelineStep, root: string): string {
  return from.join() === to.join() ? '' : ` → ${to.map((id) => toTargetName(id, root)).join(', ')}`
}
