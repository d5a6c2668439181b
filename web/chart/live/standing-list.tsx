/** The conversations of a state, by page; the number above is of the same moment as the list. */
import { useEffect, useState } from 'preact/hooks'
import type { LiveAnswer, StandingItem } from '../../../src/charts/live/live-answer.ts'
import type { Json } from '../../../src/machines/json.ts'
import { ask, toQuery } from '../api.ts'
import { useFresh } from '../use-fresh.ts'
import { toAge } from './to-age.ts'

export type Listed = {
  /** The chart that has the state. */
  readonly chart: string
  readonly state: string
  /** What it is called; null: all states. */
  readonly name: string | null
  /** Only who stands there for longer than its timers allow. */
  readonly isOver: boolean
}

type Props = Listed & {
  /** Changes when the numbers do, and now and then: time passes too. */
  readonly moment: string
  readonly onOpen: (conversationId: string) => void
  readonly onAll: () => void
}

const pageSize = '20'

export function StandingList({ chart, state, name, isOver, moment, onOpen, onAll }: Props) {
  const [cursors, setCursors] = useState<readonly string[]>([])
  const cursor = cursors.at(-1) ?? null
  useEffect(() => setCursors([]), [chart, state, isOver])
  const over = isOver ? 'true' : null
  const { answer, problem, isWaiting } = useFresh(JSON.stringify([chart, state, over, cursor]), moment, async () =>
    ask<LiveAnswer>(
      `/api/charts/${encodeURIComponent(chart)}/live${toQuery({ state, over, cursor, limit: pageSize })}`,
    ),
  )
  const list = answer?.list ?? null
  const next = list?.next ?? null
  const count = list === null || isWaiting ? '…' : list.total.toLocaleString('en')
  return (
    <section aria-label="Conversations">
      <h3 id="standing">
        {count} {isOver && 'over the limit '}
        {name === null ? 'in all states' : `in ${name}`}
      </h3>
      {isOver && (
        <button type="button" class="link" onClick={onAll}>
          Show all of them
        </button>
      )}
      {problem !== null && <p class="problem">{problem}</p>}
      {list !== null && list.total === 0 && <p class="hint">Nobody stands here{isOver && ' for too long'}.</p>}
      {list !== null && (
        <ul class="standing links">
          {list.items.map((item) => (
            <Standing key={item.id} item={item} onOpen={onOpen} />
          ))}
        </ul>
      )}
      {(cursors.length > 0 || next !== null) && (
        <p class="buttons">
          <button
            type="button"
            class="plain"
            disabled={cursors.length === 0}
            onClick={() => setCursors(cursors.slice(0, -1))}
          >
            Earlier page
          </button>
          <button
            type="button"
            class="plain"
            disabled={next === null}
            onClick={() => next !== null && setCursors([...cursors, next])}
          >
            Next page
          </button>
        </p>
      )}
    </section>
  )
}

type StandingProps = { readonly item: StandingItem; readonly onOpen: (conversationId: string) => void }

function Standing({
  item: { id, address, machineVersion, value, ageMs, nextTimerMs, quarantined },
  onOpen,
}: StandingProps) {
  return (
    <li>
      <button type="button" onClick={() => onOpen(id)}>
        <b>{address}</b> {toPlace(value)} {quarantined && <span class="chip">in quarantine</span>}{' '}
        {nextTimerMs !== null && nextTimerMs < 0 && <span class="chip removed">late by {toAge(-nextTimerMs)}</span>}
        <span class="goal">
          for {toAge(ageMs)}
          {nextTimerMs !== null && nextTimerMs >= 0 && `, next timer in ${toAge(nextTimerMs)}`}, version{' '}
          {machineVersion}
        </span>
        <code>{id}</code>
      </button>
    </li>
  )
}

/** `{PROGRESS: 'waiting'}` as `PROGRESS.waiting`. */
function toPlace(value: Json): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .map(([key, inner]) => [key, toPlace(inner)].filter((part) => part !== '').join('.'))
    .join(', ')
}
