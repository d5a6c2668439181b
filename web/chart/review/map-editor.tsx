/**
 * The migration map, edited where the check says what stands in the way: each question has one control, by mouse or
 * keyboard, and where a state goes on can be picked on the picture. Every answer is tried on the stored conversations.
 * Nothing is changed until the file is deployed.
 */
import { useEffect, useState } from 'preact/hooks'
import type { MapAnswer } from '../../../src/charts/live/live-answer.ts'
import type { View } from '../../../src/charts/library.ts'
import type { InFlightResult } from '../../../src/charts/review/in-flight-result.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'
import { ask } from '../api.ts'
import { useAsked } from '../use-asked.ts'
import { Answer, toPickId } from './map-answer.tsx'
import type { Mapping } from './mapping.ts'
import { findState, listGoals } from './places.ts'
import { checkInFlight } from './review-api.ts'
import { isAnswered, toQuestions } from './to-questions.ts'

type Props = {
  readonly view: View
  readonly result: InFlightResult
  readonly onTried: (result: InFlightResult, map: MigrationMap) => void
  /** What of the map stands on the picture. */
  readonly onMapping: (mapping: Mapping | null) => void
}

export function MapEditor(props: Props) {
  const { view } = props
  const kept = useAsked(view.ref, async () =>
    ask<MapAnswer>(`/api/charts/${encodeURIComponent(view.ref)}/migration-map`),
  )
  const { from = null, map = null } = kept.answer ?? {}
  if (from === null || toQuestions(props.result).length === 0) return null
  return <MapForm key={`${view.ref} ${from}`} {...props} kept={map ?? toEmpty(view, from)} />
}

type FormProps = Props & { readonly kept: MigrationMap }

function MapForm({ view, result, onTried, onMapping, kept }: FormProps) {
  const [map, setMap] = useState(kept)
  const [problem, setProblem] = useState<string | null>(null)
  /** The old state whose new one is being picked. */
  const [picked, setPicked] = useState<string | null>(null)
  const change = async (next: MigrationMap): Promise<void> => {
    setMap(next)
    try {
      onTried(await checkInFlight(view.ref, next), next)
      setProblem(null)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const choose = (place: string, goal: string | null): void => {
    setPicked(null)
    document.getElementById(toPickId(place))?.focus()
    if (goal !== null) void change({ ...map, states: { ...map.states, [place]: goal } })
  }
  useEffect(() => onMapping(toMapping(view, map, picked, choose)), [view, map, picked])
  useEffect(() => () => onMapping(null), [])
  const name = `${map.machine}@${map.from}-${map.to}.json`
  const questions = toQuestions(result).filter((question) => !question.isMapped || isAnswered(question, map))
  const open = questions.filter(({ isMapped }) => !isMapped).length
  const file = `data:application/json,${encodeURIComponent(`${JSON.stringify(map, null, 2)}\n`)}`
  return (
    <section aria-label="Migration map">
      <h3>
        Migration map, {map.from} to {map.to}
      </h3>
      <ul class="map">
        {questions.map((question) => (
          <li key={`${question.kind} ${question.subject}`}>
            <Answer
              question={question}
              map={map}
              view={view}
              onChange={(next) => void change(next)}
              onPick={setPicked}
            />
          </li>
        ))}
      </ul>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <p role="status" class={`gate ${open === 0 && result.verdict === 'green' ? 'added' : 'removed'}`}>
        <b>{result.verdict === 'green' ? 'Everybody would go on' : `${open} without an answer`}</b>{' '}
        {result.dryRun.restored} of {result.dryRun.tried} that were tried out went on.
      </p>
      <a class="link" href={file} download={name}>
        Save as migrations/{name}
      </a>
    </section>
  )
}

function toMapping(
  view: View,
  { states }: MigrationMap,
  picked: string | null,
  choose: (place: string, goal: string | null) => void,
): Mapping {
  const goals = new Map(listGoals(view).map(({ id, name }) => [id, name]))
  const ways = Object.entries(states).flatMap(([place, goal]) => {
    const from = findState(view, place)
    const to = findState(view, goal)
    return from === null || to === null ? [] : [{ from, to }]
  })
  const from = picked === null ? null : findState(view, picked)
  if (picked === null || from === null) return { ways, picking: null }
  const parentOf = new Map(view.chart.states.map(({ id, parent }) => [id, parent]))
  const isNew = new Set(view.comparison?.onlyHead)
  const likely = [...goals.keys()].filter((id) => isNew.has(id) || parentOf.get(id) === parentOf.get(from))
  const answer = (goal: string | null): void => choose(picked, goal === null ? null : (goals.get(goal) ?? null))
  return { ways, picking: { from, name: picked, goals: new Set(goals.keys()), likely, choose: answer } }
}

function toEmpty({ chart }: View, from: string): MigrationMap {
  const { machine, version } = chart
  return { schema: 'duologue.migration/1', machine, from, to: version, states: {}, sources: {}, arm: [], drop: [] }
}
