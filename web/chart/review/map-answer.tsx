/** One question of the migration map, and the control that answers it. */
import type { View } from '../../../src/charts/library.ts'
import type { MigrationMap } from '../../../src/machines/migration-map.ts'
import { findState, listGoals } from './places.ts'
import type { Question } from './to-questions.ts'

type Props = {
  readonly question: Question
  readonly map: MigrationMap
  readonly view: View
  readonly onChange: (map: MigrationMap) => void
  /** The state of this place shall be answered on the picture. */
  readonly onPick: (place: string) => void
}

const armable = new Set<string>(['timer-not-armed', 'child-not-started'])
const droppable = new Set<string>(['timer-removed', 'child-removed', 'history-removed'])

export function Answer(props: Props) {
  const { question, map, view, onChange } = props
  const { kind, subject, count, source, sentence } = question
  const about = `${count.toLocaleString('en')}: ${sentence}`
  if (kind === 'state-removed') return <Goal {...props} about={about} />
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

/** Where a state that is gone goes on. */
function Goal({ question: { subject }, map, view, onChange, onPick, about }: Props & { readonly about: string }) {
  const { [subject]: goal = '', ...others } = map.states
  const choose = (place: string): void =>
    onChange({ ...map, states: place === '' ? others : { ...others, [subject]: place } })
  return (
    <>
      <label class="line">
        <span>{about}</span>
        <select
          aria-label={`${subject} goes on as`}
          value={goal}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          <option value="">nowhere yet</option>
          {listGoals(view).map(({ id, name }) => (
            <option key={id}>{name}</option>
          ))}
        </select>
      </label>
      {findState(view, subject) !== null && (
        <button type="button" id={toPickId(subject)} class="link" onClick={() => onPick(subject)}>
          Pick it on the picture
        </button>
      )}
    </>
  )
}

export function toPickId(place: string): string {
  return `pick-${place}`
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

function findSource({ chart }: View, childId: string): string | null {
  // The union of a comparison has the older one as well; the newer one stands last.
  const named = chart.states.flatMap(({ invocations }) => invocations.filter(({ id }) => id === childId))
  return named.at(-1)?.source ?? null
}
