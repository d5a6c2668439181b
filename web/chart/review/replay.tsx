/**
 * What the proposed machine would have made of old conversations: they are run on it in memory while one looks, and the
 * first step that is another one is shown side by side, here and on the picture.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { toPartingOverlay } from '../../../src/charts/review/parting.ts'
import type { ReplayDifference, ReplayTotals } from '../../../src/charts/review/replay-line.ts'
import type { View } from '../../../src/charts/library.ts'
import { Parting } from './parting-view.tsx'
import { replay } from './review-api.ts'
import type { ReviewPanelProps } from './review-panel.tsx'

export type Stepper = (by: 1 | -1) => void

type Props = ReviewPanelProps & { readonly comparison: NonNullable<View['comparison']> }

type Run = {
  readonly lines: readonly ReplayDifference[]
  readonly unknown: readonly { readonly id: string; readonly reason: string }[]
  readonly totals: ReplayTotals | null
  readonly isRunning: boolean
  readonly problem: string | null
}

const counts = ['100', '1000', '10000'] as const
const shownMax = 200
const kinds = [
  ['all', 'all', () => true],
  ['breaks', 'break', ({ breaks }) => breaks !== null],
  ['status', 'end otherwise', ({ ends }) => ends.was !== ends.would],
  ['answers', 'answer otherwise', ({ differences }) => differences.some((one) => one === 'sends' || one === 'asks')],
  ['way', 'another way', ({ differences }) => differences[0] === 'way'],
] as const satisfies readonly (readonly [string, string, (line: ReplayDifference) => boolean])[]

export function Replay(props: Props) {
  const { view } = props
  const [count, setCount] = useState<string>('1000')
  const [run, setRun] = useState<Run | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [view.ref, view.hash])
  const start = async (): Promise<void> => {
    stop.current?.abort()
    const own = new AbortController()
    stop.current = own
    const lines: Run['lines'][number][] = []
    const unknown: Run['unknown'][number][] = []
    let totals: ReplayTotals | null = null
    const show = (more: Pick<Run, 'isRunning' | 'problem'>): void => {
      if (stop.current === own) setRun({ lines: [...lines], unknown: [...unknown], totals, ...more })
    }
    show({ isRunning: true, problem: null })
    try {
      for await (const batch of replay(view.ref, { count }, own.signal)) {
        for (const line of batch) {
          if (line.kind === 'differs') lines.push(line)
          else if (line.kind === 'unknown') unknown.push(line)
          else if (line.kind === 'failed') throw new Error(line.reason)
          else totals = line
        }
        show({ isRunning: true, problem: null })
      }
      show({ isRunning: false, problem: null })
    } catch (error) {
      show({ isRunning: false, problem: own.signal.aborted ? null : (error as Error).message })
    }
  }
  return (
    <section aria-label="Replay" class="replay">
      <h3>What would it have done?</h3>
      <form
        class="pass-time"
        onSubmit={(event) => {
          event.preventDefault()
          if (run?.isRunning === true) stop.current?.abort()
          else void start()
        }}
      >
        <label for="replay-count">Replay the last</label>
        <select id="replay-count" value={count} onChange={(event) => setCount(event.currentTarget.value)}>
          {counts.map((one) => (
            <option key={one} value={one}>
              {Number(one).toLocaleString('en')}
            </option>
          ))}
        </select>
        <button type="submit" class="secondary">
          {run?.isRunning === true ? 'Stop' : 'Replay'}
        </button>
      </form>
      {run !== null && <Progress run={run} wanted={Number(count)} />}
      {run !== null && run.lines.length > 0 && <Differences {...props} run={run} />}
      {run !== null && run.unknown.length > 0 && <Unknown run={run} />}
    </section>
  )
}

function Progress({ run: { totals, isRunning, problem }, wanted }: { readonly run: Run; readonly wanted: number }) {
  const { done = 0, same = 0, differs = 0, otherWay = 0, ms = 0 } = totals ?? {}
  return (
    <>
      {isRunning && <progress aria-label="Replayed" max={wanted} value={done} />}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <p role="status" class="replayed">
        {isRunning
          ? `${done.toLocaleString('en')} replayed …`
          : problem === null &&
            totals !== null && (
              <>
                <b>
                  {differs === 0
                    ? `All ${done.toLocaleString('en')} the same`
                    : `${(differs - otherWay).toLocaleString('en')} of ${done.toLocaleString('en')} would go otherwise`}
                </b>
                <span class="goal">
                  {same.toLocaleString('en')} the same
                  {otherWay > 0 && `, ${otherWay.toLocaleString('en')} end the same by another way`}, in{' '}
                  {(ms / 1_000).toFixed(1)} s. Nothing was sent.
                </span>
              </>
            )}
      </p>
    </>
  )
}

function Differences({ view, comparison, run, onGo, onParting, stepper }: Props & { readonly run: Run }) {
  const [kind, setKind] = useState<string>('all')
  const [selected, setSelected] = useState<string | null>(null)
  // Keys may come faster than the page is drawn.
  const newest = useRef<string | null>(null)
  const filter = kinds.find(([name]) => name === kind)?.[2] ?? (() => true)
  const lines = run.lines.filter(filter)
  const select = (line: ReplayDifference | undefined): void => {
    if (line === undefined) return
    setSelected(line.id)
    newest.current = line.id
    const { wasPlaces, wouldPlaces } = line.first
    onParting(toPartingOverlay(wasPlaces, wouldPlaces, view.chart))
    const look = wouldPlaces.transitions[0] ?? wouldPlaces.to[0] ?? wasPlaces?.to[0] ?? wouldPlaces.from[0]
    if (look !== undefined) onGo(look)
    document.getElementById(`replayed-${line.id}`)?.focus()
  }
  useLayoutEffect(() => {
    stepper.current = (by) => {
      const at = lines.findIndex(({ id }) => id === newest.current)
      select(lines[at === -1 ? 0 : (at + by + lines.length) % lines.length])
    }
    return () => {
      stepper.current = null
    }
  })
  useEffect(() => () => onParting(null), [])
  const offered = kinds
    .map(([name, text, isOf]) => ({ name, text, count: run.lines.filter(isOf).length }))
    .filter(({ name, count }) => name === 'all' || count > 0)
  return (
    <>
      {offered.length > 2 && (
        <fieldset class="kinds">
          <legend class="visually-hidden">Which ones</legend>
          {offered.map(({ name, text, count }) => (
            <label key={name}>
              <input type="radio" name="replay-kind" checked={kind === name} onChange={() => setKind(name)} />
              <span>
                {text} {count}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <ol class="changes">
        {lines.slice(0, shownMax).map((line) => {
          const isSelected = selected === line.id
          return (
            <li key={line.id}>
              <button
                type="button"
                id={`replayed-${line.id}`}
                aria-expanded={isSelected}
                aria-current={isSelected ? 'true' : undefined}
                onClick={() => select(line)}
              >
                <Outcome line={line} />
                <span class="goal">
                  {toDay(line.openedAt)}, parts at step {line.first.version} of {line.steps}
                </span>
              </button>
              {isSelected && (
                <Parting
                  line={line}
                  base={comparison.base.version}
                  head={comparison.head.version}
                  root={view.chart.root}
                />
              )}
            </li>
          )
        })}
      </ol>
      {lines.length > shownMax && <p class="hint">and {lines.length - shownMax} more</p>}
    </>
  )
}

function Outcome({ line: { ends, breaks, differences } }: { readonly line: ReplayDifference }) {
  if (breaks !== null) return <span class="chip removed">would break in {ends.would}</span>
  if (ends.was !== ends.would) {
    return (
      <>
        <span class="chip removed">was {ends.was}</span> <span class="chip added">would be {ends.would}</span>
      </>
    )
  }
  const text =
    differences[0] === 'way' ? 'another way' : differences.includes('sends') ? 'another answer' : 'asks otherwise'
  return (
    <>
      <span class="chip">{text}</span> {ends.was}
    </>
  )
}

function Unknown({ run: { unknown } }: { readonly run: Run }) {
  const reasons = [...Map.groupBy(unknown, ({ reason }) => reason)]
  return (
    <>
      <p class="hint">{unknown.length} could not be replayed:</p>
      <ul class="hint">
        {reasons.map(([reason, those]) => (
          <li key={reason}>
            {those.length}: {reason}
          </li>
        ))}
      </ul>
    </>
  )
}

function toDay(moment: string): string {
  return new Date(moment).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })
}
