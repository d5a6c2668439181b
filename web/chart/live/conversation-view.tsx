/** One conversation: its steps scrubbed by mouse or arrow keys, over the chart of the version that took each. */
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Timeline, TimelineStep } from '../../../src/charts/live/timeline.ts'
import { toDuration } from '../../../src/charts/to-duration.ts'
import { StateNames } from '../state-names.tsx'
import { toEventName } from '../to-event-name.ts'
import { useFresh } from '../use-fresh.ts'
import { toWords } from './to-words.ts'
import type { LivePanelProps } from './live-panel.tsx'
import { createTimelineReader } from './read-timeline.ts'
import { layToken } from './lay-token.ts'
import { StepList } from './step-list.tsx'
import { TimeStrip } from './time-strip.tsx'

type Props = LivePanelProps & { readonly id: string }

export function ConversationView(props: Props) {
  const { id, view, address, go, onGo, onToken, live } = props
  const [hasWords, setHasWords] = useState(false)
  const readTimeline = useMemo(() => createTimelineReader(id, hasWords), [id, hasWords])
  const asked = useFresh(`${id} ${hasWords}`, String(live.heardAt), readTimeline)
  const timeline = asked.answer
  const steps = timeline?.steps ?? []
  const at = Math.max(
    0,
    address.moment === null ? steps.length - 1 : steps.findIndex(({ version }) => version === address.moment),
  )
  const step = steps[at]
  // The picture is that of the version that took the step.
  const isOther = step !== undefined && !isChart(view.ref, step.chart)
  useEffect(() => {
    if (isOther) go({ chart: step.chart, base: null, folds: [], viewport: null })
  }, [isOther, step?.chart])
  const laid = useMemo(() => (step === undefined || isOther ? null : layToken(step)), [step, isOther])
  useEffect(() => onToken(laid), [laid])
  useEffect(() => () => onToken(null), [])
  const choose = (next: number): void => {
    const chosen = steps[next]
    if (chosen === undefined) return
    go({ moment: next === steps.length - 1 ? null : chosen.version })
    const [leaf] = chosen.to
    if (leaf !== undefined && isChart(view.ref, chosen.chart)) onGo(leaf)
  }
  return (
    <section aria-label="Conversation">
      <button type="button" class="link" onClick={() => go({ conversation: null, moment: null }, 'push')}>
        Back to all
      </button>
      <h2>One conversation</h2>
      <p class="goal">{id}</p>
      {asked.problem !== null && <p class="problem">{asked.problem}</p>}
      {timeline !== null && <Verdict timeline={timeline} />}
      {step !== undefined && (
        <>
          <TimeStrip steps={steps} at={at} onChoose={choose} />
          <StepList steps={steps} at={at} root={view.chart.root} onChoose={choose} />
          <label class="words">
            <input type="checkbox" checked={hasWords} onChange={() => setHasWords(!hasWords)} /> Show what was written
          </label>
          <StepFacts step={step} before={steps[at - 1]} root={view.chart.root} />
        </>
      )}
    </section>
  )
}

/** `conversation@3+draft` is another chart than `conversation@3`; one that was kept of this version is not. */
function isChart(shown: string, wanted: string): boolean {
  return shown === wanted || shown === `${wanted}+stored`
}

function Verdict({ timeline: { replay, steps, left, status } }: { readonly timeline: Timeline }) {
  const text =
    replay.kind === 'same'
      ? `${steps.length + left} steps; run again they end where it is stored: ${status}`
      : `from step ${replay.version} on it cannot be made again: ${replay.reason}`
  return (
    <p role="status" class={replay.kind === 'same' ? 'goal' : 'problem'}>
      {text}
      {left > 0 && `; the first ${left} are not shown`}
    </p>
  )
}

type FactsProps = { readonly step: TimelineStep; readonly before: TimelineStep | undefined; readonly root: string }

function StepFacts({ step, before, root }: FactsProps) {
  const { version, at, event, said, chart, to, changes, timers, running, actions } = step
  const since = before === undefined ? null : Date.parse(at) - Date.parse(before.at)
  return (
    <div data-step={version}>
      <h3>
        {version}. {toEventName(event)}
      </h3>
      <p class="goal">
        {at.replace('T', ' ').slice(0, 19)} UTC{since !== null && `, ${toDuration(since)} after the step before`}, by{' '}
        {chart}
      </p>
      <p>
        <b>
          <StateNames ids={to} root={root} />
        </b>
      </p>
      {said !== null && <q>{said}</q>}
      {!step.isReplayed && <p class="hint">Only the journal tells of this step: what it did besides is not known.</p>}
      <Facts
        name="Does"
        list={actions.map(({ name, params }) => `${name}${params === null ? '' : ` ${toWords(params)}`}`)}
      />
      <Facts
        name="Remembers"
        list={changes.map(({ path, was, now }) => `${path}: ${toWords(was)} → ${toWords(now)}`)}
      />
      <Facts
        name="Timers"
        list={timers.map(
          ({ id, dueAt }) =>
            `${id.replace('xstate.after.', '')} in ${toDuration(Math.max(0, Date.parse(dueAt) - Date.parse(at)))}`,
        )}
      />
      <Facts name="Runs" list={running.map(({ id, source }) => (id === source ? id : `${source} as ${id}`))} />
    </div>
  )
}

function Facts({ name, list }: { readonly name: string; readonly list: readonly string[] }) {
  if (list.length === 0) return null
  return (
    <>
      <h4>{name}</h4>
      <ul class="facts-list">
        {list.map((text, place) => (
          <li key={place}>
            <code>{text}</code>
          </li>
        ))}
      </ul>
    </>
  )
}
