/** The conversations of a state, by page; the number above is of the same moment as the list. */
import { useEffect, useState } from 'preact/hooks'
import type { LiveAnswer } from '../../../src/charts/live/live-answer.ts'
import { toAge } from './to-age.ts'
import { ask, toQuery } from '../api.ts'
import { useAsked } from '../use-asked.ts'

type Props = {
  readonly chart: string
  /** Null: nothing is selected, and all of them are listed. */
  readonly state: string | null
  readonly name: string | null
  /** Changes when the numbers do. */
  readonly moment: string
  readonly onOpen: (conversationId: string) => void
}

const pageSize = '20'

export function StandingList({ chart, state, name, moment, onOpen }: Props) {
  const [cursors, setCursors] = useState<readonly string[]>([])
  useEffect(() => setCursors([]), [chart, state])
  const cursor = cursors.at(-1) ?? null
  const { answer, problem } = useAsked(JSON.stringify([chart, state, cursor, moment]), async () =>
    ask<LiveAnswer>(
      `/api/charts/${encodeURIComponent(chart)}/live${toQuery({ state: state ?? rootOf(chart), cursor, limit: pageSize })}`,
    ),
  )
  const list = answer?.list ?? null
  const next = list?.next ?? null
  return (
    <section aria-label="Conversations">
      <h3>
        {list === null ? '…' : list.total.toLocaleString('en')} {name === null ? 'in all states' : `in ${name}`}
      </h3>
      {problem !== null && <p class="problem">{problem}</p>}
      {list !== null && list.total === 0 && <p class="hint">Nobody stands here.</p>}
      {list !== null && (
        <ul class="standing links">
          {list.items.map(({ id, address, machineVersion, status, ageMs }) => (
            <li key={id}>
              <button type="button" onClick={() => onOpen(id)}>
                <b>{address}</b> {status}{' '}
                <span class="goal">
                  for {toAge(ageMs)}, version {machineVersion}
                </span>
                <code>{id}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
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
    </section>
  )
}

/** The root's id is the machine's: `conversation@3+draft` is of `conversation`. */
function rootOf(chart: string): string {
  return chart.replace(/@.*$/u, '')
}
