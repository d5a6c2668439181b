/**
 * Trying the chart: choose what happens, see what it would do. Nothing of it happens: the service runs the
 * machine's pure transition and lists what would be done.
 */
import { useState } from 'preact/hooks'
import { toDuration } from '../../src/charts/to-duration.ts'
import { toTargetName } from '../../src/charts/target-name.ts'
import type { Branch, Option } from '../../src/charts/simulate/list-options.ts'
import type { Step } from '../../src/charts/simulate/steps.ts'
import type { Point } from '../../src/charts/simulate/walk.ts'
import type { ReviewedWalk } from '../../src/charts/simulate/walk-chart.ts'
import { readWalkTest } from './api.ts'
import type { Surroundings } from './surroundings.ts'

type Props = {
  readonly chart: string
  readonly root: string
  readonly around: Surroundings
  readonly steps: readonly Step[]
  readonly walk: ReviewedWalk | null
  readonly problem: string | null
  readonly onSteps: (steps: readonly Step[]) => void
}

export function SimulatePanel(props: Props) {
  const { chart, steps, walk, problem, onSteps } = props
  return (
    <>
      <h2>Simulate</h2>
      {problem !== null && (
        <p class="problem" role="alert">
          The walk was not understood: {problem}.
        </p>
      )}
      {walk?.isRevived === true && (
        <p class="hint">The code of this version is gone: its chart runs with today's guards and actions.</p>
      )}
      {walk !== null && <Now {...props} walk={walk} />}
      <div class="buttons">
        <button
          type="button"
          class="secondary"
          disabled={steps.length === 0}
          onClick={() => onSteps(steps.slice(0, -1))}
        >
          Step back
        </button>
        <button type="button" class="secondary" disabled={steps.length === 0} onClick={() => onSteps([])}>
          Begin again
        </button>
        <CopyButtons chart={chart} steps={steps} canTest={walk?.isRevived === false} />
      </div>
      {walk !== null && <Next {...props} walk={walk} />}
      {walk !== null && <Steps {...props} walk={walk} />}
    </>
  )
}

type WalkProps = Props & { readonly walk: ReviewedWalk }

function Now({ root, walk }: WalkProps) {
  const last = walk.points.at(-1)
  if (last === undefined) return null
  return (
    <div class="now">
      <p role="status">
        <span class="visually-hidden">Now in </span>
        <b>{toPlace(last, root)}</b>
        <span class="clock"> after {last.nowMs === 0 ? 'no time' : toDuration(last.nowMs)}</span>
      </p>
      {walk.base !== null && (
        <p class={walk.base.at === null ? 'hint' : 'problem'}>
          Beside {walk.base.ref}
          {walk.base.isRevived ? ' (its chart, with today’s guards)' : ''}:{' '}
          {walk.base.sentence.replaceAll(`${root}.`, '')}.
        </p>
      )}
    </div>
  )
}

function Next({ root, around, walk, steps, onSteps }: WalkProps) {
  const add = (step: Step): void => onSteps([...steps, step])
  return (
    <section>
      <h3>What happens next?</h3>
      <ul class="options">
        {walk.options.map((option) => (
          <li key={option.event}>
            <p class="option-name">
              {toEventName(option.event, option, root)}
              {option.dueInMs !== null && <span class="goal">due in {toDuration(option.dueInMs)}</span>}
            </p>
            {option.branches.map((branch) => (
              <button
                key={branch.transitionId}
                type="button"
                disabled={branch.choices === null}
                onClick={() => add(toStep(option, branch))}
              >
                <span class="order">{branch.order}</span>
                <span>
                  {branch.guard === null ? (branch.order === 'else' ? 'otherwise' : 'at once') : branch.guard}
                  <span class="goal">
                    {branch.choices === null ? 'never taken: another one hides it' : toGoal(branch, around, root)}
                  </span>
                </span>
              </button>
            ))}
          </li>
        ))}
      </ul>
      {walk.later.length > 0 && (
        <p class="hint">
          Later:{' '}
          {walk.later
            .map(({ event, dueInMs }) => `${toEventName(event, null, root)} in ${toDuration(dueInMs)}`)
            .join(', ')}
        </p>
      )}
      <PassTime onPass={(waitMs) => add({ waitMs })} />
      {walk.ignored.length > 0 && (
        <>
          <h3>Ignored here</h3>
          <p class="ignored">
            {walk.ignored.map((event) => (
              <button key={event} type="button" class="tag" onClick={() => add({ event })}>
                {event}
              </button>
            ))}
          </p>
        </>
      )}
    </section>
  )
}

const units = { seconds: 1_000, minutes: 60_000, hours: 3_600_000 } as const

function PassTime({ onPass }: { readonly onPass: (ms: number) => void }) {
  const [count, setCount] = useState('10')
  const [unit, setUnit] = useState<keyof typeof units>('minutes')
  const ms = Math.round(Number(count) * units[unit])
  const isSound = Number.isFinite(ms) && ms >= 0 && count !== ''
  return (
    <form
      class="pass-time"
      onSubmit={(event) => {
        event.preventDefault()
        if (isSound) onPass(ms)
      }}
    >
      <label for="pass-count">Let pass</label>
      <input
        id="pass-count"
        type="number"
        min="0"
        step="any"
        value={count}
        onInput={(event) => setCount(event.currentTarget.value)}
      />
      <select
        aria-label="Unit"
        value={unit}
        onChange={(event) => setUnit(event.currentTarget.value as keyof typeof units)}
      >
        {Object.keys(units).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button type="submit" class="secondary" disabled={!isSound}>
        Pass
      </button>
    </form>
  )
}

function Steps({ root, walk, steps, onSteps }: WalkProps) {
  return (
    <section>
      <h3>The walk so far</h3>
      <ol class="walk">
        {walk.points.map((point, place) => {
          const other = walk.base?.points[place]
          return (
            <li key={place} class={`${point.outcome}${walk.base?.at === place ? ' parts' : ''}`}>
              <button type="button" onClick={() => onSteps(steps.slice(0, place))} title="Go back to here">
                <b>{toStepName(steps[place - 1], root)}</b>
                <span class="goal">{toPlace(point, root)}</span>
              </button>
              <PointFacts point={point} />
              {other !== undefined && toPlace(other, root) !== toPlace(point, root) && (
                <p class="beside">
                  {walk.base?.ref}: {toPlace(other, root)}
                </p>
              )}
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function PointFacts({ point }: { readonly point: Point }) {
  const { outcome, problem, asked, wishes } = point
  return (
    <>
      {outcome === 'ignored' && <p class="hint">ignored: nothing here takes it</p>}
      {problem !== null && <p class="problem">the machine threw: {problem}</p>}
      {asked.length > 0 && (
        <p class="asked">
          {asked.map(({ guard, answer, isChosen }, place) => (
            <span key={place} class={answer ? 'yes' : 'no'}>
              {guard} {answer ? 'yes' : 'no'}
              {isChosen ? '' : ' (asked)'}
            </span>
          ))}
        </p>
      )}
      {wishes.map((wish, place) => (
        <code key={place} class="wish">
          {wish}
        </code>
      ))}
    </>
  )
}

function CopyButtons({
  chart,
  steps,
  canTest,
}: {
  readonly chart: string
  readonly steps: readonly Step[]
  readonly canTest: boolean
}) {
  const [said, setSaid] = useState('')
  const copy = async (what: string, text: () => Promise<string>): Promise<void> => {
    try {
      await navigator.clipboard.writeText(await text())
      setSaid(`${what} copied`)
    } catch {
      setSaid(`${what} could not be copied`)
    }
  }
  return (
    <>
      <button type="button" class="secondary" onClick={() => void copy('link', async () => location.href)}>
        Copy link
      </button>
      <button
        type="button"
        class="secondary"
        disabled={!canTest}
        onClick={() => void copy('test', async () => readWalkTest(chart, steps))}
      >
        Copy as test
      </button>
      <span class="said" role="status">
        {said}
      </span>
    </>
  )
}

function toStep({ event, dueInMs }: Option, { choices }: Branch): Step {
  const given = choices === null || Object.keys(choices).length === 0 ? {} : { choices }
  return dueInMs === null ? { event, ...given } : { waitMs: dueInMs, ...given }
}

function toStepName(step: Step | undefined, root: string): string {
  if (step === undefined) return 'the beginning'
  if ('waitMs' in step) return `${toDuration(step.waitMs)} pass`
  return toEventName(step.event, null, root)
}

function toEventName(event: string, option: Option | null, root: string): string {
  if (event.startsWith('xstate.done.actor.')) return `${event.slice('xstate.done.actor.'.length)} is done`
  if (event.startsWith('xstate.error.actor.')) return `${event.slice('xstate.error.actor.'.length)} fails`
  if (event.startsWith('xstate.after.')) {
    const [name = ''] = event.slice('xstate.after.'.length).split(`.${root}`)
    return option?.dueInMs === null ? name : `${name} passes`
  }
  return event
}

/** The innermost active states. */
function toPlace({ active }: Point, root: string): string {
  const leaves = active.filter((id) => !active.some((other) => other.startsWith(`${id}.`)))
  return leaves.map((id) => toTargetName(id, root)).join(', ')
}

function toGoal({ transitionId }: Branch, around: Surroundings, root: string): string {
  const transition = around.transition(transitionId)
  if (transition === undefined) return ''
  if (transition.targets.length > 0) return `to ${transition.targets.map((id) => toTargetName(id, root)).join(', ')}`
  return transition.actions.length > 0 ? 'stays' : 'stops here'
}
