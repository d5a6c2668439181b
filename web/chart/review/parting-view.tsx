/** The first step that is another one, side by side. */
import type { ReplayDifference, ReplayMoment } from '../../../src/charts/review/replay-line.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { StateNames } from '../state-names.tsx'
import { toEventName } from '../to-event-name.ts'

type Props = {
  readonly line: ReplayDifference
  readonly base: string
  readonly head: string
  readonly root: string
}

type Doing = { readonly [field: string]: unknown }

export function Parting({ line: { id, first, breaks }, base, head, root }: Props) {
  const { event, was, would, wouldPlaces } = first
  return (
    <div class="parting">
      <p>
        <b>{toEventName(String((event as Doing)['type']))}</b>
        <Said event={event as Doing} />
        {wouldPlaces.from.length > 0 && <span class="goal">in {toPlace(wouldPlaces.from, root)}</span>}
      </p>
      <div class="sides">
        <Side title={`was (${base})`} moment={was} other={would} root={root} />
        <Side title={`would be (${head})`} moment={would} other={was} root={root} />
      </div>
      {breaks !== null && <p class="problem">{breaks}</p>}
      <p class="goal">conversation {id}</p>
    </div>
  )
}

function Said({ event }: { readonly event: Doing }) {
  const { body } = event
  return typeof body === 'string' && body !== '' ? <q>{body}</q> : null
}

type SideProps = {
  readonly title: string
  readonly moment: ReplayMoment | null
  readonly other: ReplayMoment | null
  readonly root: string
}

function Side({ title, moment, other, root }: SideProps) {
  if (moment === null) {
    return (
      <section>
        <h4>{title}</h4>
        <p>nothing: it has no such timer, or later</p>
      </section>
    )
  }
  const { states, status, sends, asks, note } = moment
  return (
    <section>
      <h4>{title}</h4>
      <p>
        <b>{states.length === 0 ? status : <StateNames ids={states} root={root} />}</b>
      </p>
      {note !== null && <p class="hint">{note}</p>}
      {sends.map((send, place) => (
        <Send key={place} send={send as Doing} other={(other?.sends[place] ?? null) as Doing | null} />
      ))}
      {asks.map((ask, place) => (
        <Ask key={place} ask={ask as Doing} other={(other?.asks[place] ?? null) as Doing | null} />
      ))}
      {sends.length + asks.length === 0 && note === null && <p class="hint">sends nothing, asks nothing</p>}
    </section>
  )
}

function Send({ send, other }: { readonly send: Doing; readonly other: Doing | null }) {
  const params = (send['params'] ?? {}) as Doing
  const before = (other?.['params'] ?? {}) as Doing
  const { body, ...rest } = params
  return (
    <div class="send">
      <span class="goal">{String(send['action'])}</span>
      {typeof body === 'string' && (
        <Text text={body} other={typeof before['body'] === 'string' ? before['body'] : ''} />
      )}
      <Fields fields={rest} other={before} />
    </div>
  )
}

function Ask({ ask, other }: { readonly ask: Doing; readonly other: Doing | null }) {
  const { input, source } = ask
  const fields = typeof input === 'object' && input !== null ? (input as Doing) : { input }
  return (
    <div class="send">
      <span class="goal">asks {String(source)}</span>
      {other !== null && <Fields fields={fields} other={(other['input'] ?? {}) as Doing} />}
    </div>
  )
}

/** Only those that are another. */
function Fields({ fields, other }: { readonly fields: Doing; readonly other: Doing }) {
  const changed = Object.entries(fields).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(other[name]),
  )
  return (
    <>
      {changed.map(([name, value]) => (
        <code key={name}>
          {name}: {JSON.stringify(value)}
        </code>
      ))}
    </>
  )
}

/** What both have at the beginning and at the end is left plain. */
function Text({ text, other }: { readonly text: string; readonly other: string }) {
  const longest = Math.min(text.length, other.length)
  let start = 0
  while (start < longest && text[start] === other[start]) start += 1
  let end = 0
  while (end < longest - start && text[text.length - 1 - end] === other[other.length - 1 - end]) end += 1
  const middle = text.slice(start, text.length - end)
  return (
    <blockquote>
      {text.slice(0, start)}
      {middle !== '' && <mark>{middle}</mark>}
      {text.slice(text.length - end)}
    </blockquote>
  )
}

function toPlace(states: readonly string[], root: string): string {
  return states.map((id) => toTargetName(id, root)).join(', ')
}
