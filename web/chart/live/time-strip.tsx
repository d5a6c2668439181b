/**
 * The steps on a line whose gaps are compressed: a week of silence is a little longer than an hour of it, not a hundred
 * times. The slider is the browser's own, so mouse, touch and arrow keys work; two fields narrow what it goes over.
 */
import { useState } from 'preact/hooks'
import type { TimelineStep } from '../../../src/charts/live/timeline.ts'
import { usePlaying } from './use-playing.ts'

type Props = { readonly steps: readonly TimelineStep[]; readonly at: number; readonly onChoose: (at: number) => void }

const width = 300

export function TimeStrip({ steps, at, onChoose }: Props) {
  const [range, setRange] = useState<{ readonly from: number; readonly to: number } | null>(null)
  const last = steps.length - 1
  const from = Math.min(range?.from ?? 0, last)
  const to = Math.max(from, Math.min(range?.to ?? last, last))
  const places = toPlaces(steps.slice(from, to + 1))
  const narrow = (next: { readonly from: number; readonly to: number }): void => {
    setRange(next)
    if (at < next.from || at > next.to) onChoose(Math.min(Math.max(at, next.from), next.to))
  }
  const step = steps[at]
  const [isPlaying, onPlay] = usePlaying(at, to, (next) => onChoose(Math.max(next, from)))
  return (
    <div class="strip">
      <svg viewBox={`0 0 ${width} 18`} aria-hidden="true">
        {places.map((x, place) => (
          <rect
            key={place}
            class={place + from === at ? 'now' : ''}
            x={x}
            y={place + from === at ? 0 : 5}
            width={place + from === at ? 3 : 1.5}
            height={place + from === at ? 18 : 8}
          />
        ))}
      </svg>
      <p class="ends">
        <span>{toMoment(steps[from])}</span>
        <span>{toMoment(steps[to])}</span>
      </p>
      <label class="line">
        Step {at + 1} of {steps.length}
        <input
          type="range"
          aria-label="Step"
          aria-valuetext={step === undefined ? '' : `${step.version}, ${step.event}`}
          min={from}
          max={to}
          value={at}
          onInput={(event) => onChoose(Number(event.currentTarget.value))}
        />
      </label>
      <p class="range">
        <button type="button" class="plain" disabled={from === to} onClick={onPlay}>
          {isPlaying ? 'Stop' : 'Play'}
        </button>
        <label>
          From{' '}
          <input
            type="number"
            min={1}
            max={to + 1}
            value={from + 1}
            onChange={(event) => narrow({ from: clamp(Number(event.currentTarget.value) - 1, 0, to), to })}
          />
        </label>
        <label>
          to{' '}
          <input
            type="number"
            min={from + 1}
            max={steps.length}
            value={to + 1}
            onChange={(event) => narrow({ from, to: clamp(Number(event.currentTarget.value) - 1, from, last) })}
          />
        </label>
      </p>
    </div>
  )
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(Number.isFinite(value) ? Math.round(value) : least, least), most)
}

function toMoment(step: TimelineStep | undefined): string {
  return step === undefined ? '' : step.at.slice(0, 16).replace('T', ' ')
}

/** From left to right; a gap counts by its logarithm. */
function toPlaces(steps: readonly TimelineStep[]): readonly number[] {
  let sum = 0
  const reached = steps.map(({ at }, place) => {
    const before = steps[place - 1]
    if (before !== undefined) sum += 1 + Math.log1p(Math.max(0, Date.parse(at) - Date.parse(before.at)) / 1_000)
    return sum
  })
  return reached.map((one) => (sum === 0 ? 0 : (one / sum) * (width - 4)))
}
