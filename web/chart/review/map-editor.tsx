/**
 * The migration map, edited where the check says what stands in the way: each question has one control, by mouse or
 * keyboard, and every answer is tried on the stored conversations. Nothing is changed until the file is deployed.
 */
import { useEffect, useState } from 'preact/hooks'
import type { MapAnswer } from '../../../src/charts/live/live-answer.ts'
import type { View } from '../../../src/charts/library.ts'
import type { InFlightReason, InFlightResult } from '../../../src/charts/review/in-flight-result.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'
import { ask, Refused, refuse } from '../api.ts'
import { useAsked } from '../use-asked.ts'
import { toPlaces } from './places.ts'

type Props = {
  readonly view: View
  readonly result: InFlightResult
  readonly onTried: (result: InFlightResult) => void
}
type Question = InFlightReason & { readonly count: number; readonly source: string | null }

const armable = new Set<string>(['timer-not-armed', 'child-not-started'])
const droppable = new Set<string>(['timer-removed', 'child-removed', 'history-removed'])

export function MapEditor({ view, result, onTried }: Props) {
  const path = `/api/charts/${encodeURIComponent(view.ref)}`
  const kept = useAsked(view.ref, async () => ask<MapAnswer>(`${path}/migration-map`))
  const [map, setMap] = useState<MigrationMap | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const from = kept.answer?.from ?? null
  useEffect(() => {
    if (from !== null) setMap(kept.answer?.map ?? toEmpty(view, from))
  }, [kept.answer])
  if (map === null || from === null) return null
  const questions = toQuestions(result)
  if (questions.length === 0) return null
  const change = async (next: MigrationMap): Promise<void> => {
    setMap(next)
    try {
      onTried(await tryOut(`${path}/in-flight`, next))
      setProblem(null)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const name = `${map.machine}@${map.from}-${map.to}.json`
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
            <Answer question={question} map={map} view={view} onChange={(next) => void change(next)} />
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

type AnswerProps = {
  readonly question: Question
  readonly map: MigrationMap
  readonly view: View
  readonly onChange: (map: MigrationMap) => void
}

function Answer({ question, map, view, onChange }: AnswerProps) {
  const { kind, subject, count, source, sentence } = question
  const about = `${count.toLocaleString('en')}: ${sentence}`
  if (kind === 'state-removed') {
    const { [subject]: goal = '', ...others } = map.states
    const choose = (place: string): void =>
      onChange({ ...map, states: place === '' ? others : { ...others, [subject]: place } })
    return (
      <label class="line">
        <span>{about}</span>
        <select
          aria-label={`${subject} goes on as`}
          value={goal}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value="">nowhere yet</option>
          {toPlaces(view).map((place) => (
            <option key={place}>{place}</option>
          ))}
        </select>
      </label>
    )
  }
  if (kind === 'source-renamed' && source !== null) {
    const next = findSource(view, subject)
    const { [source]: named, ...others } = map.sources
    const sources = named === undefined && next !== null ? { ...others, [source]: next } : others
    const text = `stop ${source} and begin ${next ?? 'it'} anew`
    return (
      <Choice about={about} text={text} isChosen={named !== undefined} onChange={() => onChange({ ...map, sources })} />
    )
  }
  const list = armable.has(kind) ? 'arm' : droppable.has(kind) ? 'drop' : null
  if (list === null) return <span>{about}. No map answers this: the machine has to.</span>
  const isChosen = map[list].includes(subject)
  const next = isChosen ? map[list].filter((one) => one !== subject) : [...map[list], subject]
  const text = list === 'arm' ? `start it in ${subject} as soon as the deploy is complete` : 'let it go'
  return <Choice about={about} text={text} isChosen={isChosen} onChange={() => onChange({ ...map, [list]: next })} />
}

type ChoiceProps = {
  readonly about: string
  readonly text: string
  readonly isChosen: boolean
  readonly onChange: () => void
}

function Choice({ about, text, isChosen, onChange }: ChoiceProps) {
  return (
    <>
      <span class="goal">{about}</span>
      <label>
        <input type="checkbox" checked={isChosen} onChange={onChange} /> {text}
      </label>
    </>
  )
}

/** Each once, with how many conversations ask it; answered ones stay, so that an answer can be taken back. */
function toQuestions({ states }: InFlightResult): readonly Question[] {
  const all = states.flatMap(({ reasons, count, children }) =>
    reasons.map((reason) => ({ ...reason, count, source: children[reason.subject] ?? null })),
  )
  return [...Map.groupBy(all, ({ kind, subject }) => `${kind} ${subject}`).values()].flatMap((same) => {
    const [first] = same
    if (first === undefined) return []
    const count = same.reduce((sum, one) => sum + one.count, 0)
    return [{ ...first, count, isMapped: same.every(({ isMapped }) => isMapped) }]
  })
}

function findSource({ chart }: View, childId: string): string | null {
  // The union of a comparison has the older one as well; the newer one stands last.
  const named = chart.states.flatMap(({ invocations }) => invocations.filter(({ id }) => id === childId))
  return named.at(-1)?.source ?? null
}

function toEmpty({ chart }: View, from: string): MigrationMap {
  const { machine, version } = chart
  return { schema: 'duologue.migration/1', machine, from, to: version, states: {}, sources: {}, arm: [], drop: [] }
}

async function tryOut(path: string, map: MigrationMap): Promise<InFlightResult> {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(map),
  }).catch(() => null)
  if (answer === null) throw new Refused('the service does not answer')
  return answer.ok ? ((await answer.json()) as InFlightResult) : refuse(answer)
}
