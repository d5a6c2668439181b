/** All that is known of the selected state or transition. */
import type { ComponentChildren } from 'preact'
import type { ChartAction, ChartState, ChartTransition } from '../../src/charts/chart.ts'
import { toActionText } from '../../src/charts/export/transition-rows.ts'
import type { View } from '../../src/charts/library.ts'
import { isStop, toEventText } from '../../src/charts/layout/wording.ts'
import { toTargetName } from '../../src/charts/target-name.ts'
import type { Surroundings } from './surroundings.ts'
import { useLazy } from './use-lazy.ts'

type Props = {
  readonly view: View
  readonly around: Surroundings
  readonly selected: string | null
  readonly onGo: (id: string) => void
  readonly onFold: (id: string) => void
}

const loadComments = async () => import('./review/comments.tsx')

export function DetailsPanel(props: Props) {
  const { view, around, selected } = props
  const comments = useLazy(selected !== null, loadComments)
  const state = around.state(selected)
  const transition = around.transition(selected)
  if (selected !== null && (state !== undefined || transition !== undefined)) {
    return (
      <>
        {state !== undefined && <StateDetails {...props} state={state} />}
        {transition !== undefined && <TransitionDetails {...props} transition={transition} />}
        {comments !== null && <comments.Comments key={selected} view={view} about={selected} />}
      </>
    )
  }
  return (
    <>
      <p class="hint">
        {view.chart.states.length - 1} states, {view.chart.transitions.length} transitions. Select one of them to see
        what is known of it.
      </p>
      <Keys />
    </>
  )
}

export function Keys() {
  return (
    <dl class="keys" id="chart-keys">
      <dt>
        <kbd>↓</kbd> <kbd>↑</kbd>
      </dt>
      <dd>follow a transition, or go against it</dd>
      <dt>
        <kbd>←</kbd> <kbd>→</kbd>
      </dt>
      <dd>what stands beside it</dd>
      <dt>
        <kbd>Enter</kbd> <kbd>Esc</kbd>
      </dt>
      <dd>into the details, back to the chart</dd>
      <dt>
        <kbd>+</kbd> <kbd>-</kbd> <kbd>0</kbd>
      </dt>
      <dd>larger, smaller, all of it</dd>
      <dt>
        <kbd>/</kbd>
      </dt>
      <dd>search</dd>
      <dt>
        <kbd>f</kbd> <kbd>t</kbd>
      </dt>
      <dd>fold a state, show the table</dd>
      <dt>
        <kbd>n</kbd> <kbd>p</kbd>
      </dt>
      <dd>next and previous change</dd>
    </dl>
  )
}

function StateDetails({ view, around, state, onGo, onFold }: Props & { readonly state: ChartState }) {
  const { root } = view.chart
  const { id, key, kind, description, tags, entry, exit, invocations, history, parent } = state
  const isFoldable = view.foldable.includes(id)
  const kindText =
    kind === 'history' ? `${history ?? 'shallow'} history` : kind === 'atomic' ? 'state' : `${kind} state`
  return (
    <>
      <h2>{key}</h2>
      <p class="kind">
        {kindText}
        {parent !== null && parent !== root && (
          <>
            {' in '}
            <Link id={parent} onGo={onGo}>
              {toTargetName(parent, root)}
            </Link>
          </>
        )}
        {tags.map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </p>
      {description !== null && <p>{description}</p>}
      {isFoldable && (
        <button type="button" class="secondary" onClick={() => onFold(id)}>
          {view.folded.includes(id) ? 'Unfold' : 'Fold'}
        </button>
      )}
      <Findings view={view} id={id} />
      <dl class="facts">
        <Fact name="On entry">{toActions(entry)}</Fact>
        <Fact name="On exit">{toActions(exit)}</Fact>
        <Fact name="Runs">
          {invocations.map((one) => (one.id === one.source ? one.id : `${one.source} as ${one.id}`))}
        </Fact>
        <Fact name="Starts in">{state.initial === null ? [] : [toTargetName(state.initial, root)]}</Fact>
        <Place view={view} id={id} />
      </dl>
      <Transitions title="Leads to" list={around.outOf(id)} root={root} onGo={onGo} shows="target" />
      <Transitions title="Reached from" list={around.into(id)} root={root} onGo={onGo} shows="source" />
    </>
  )
}

function TransitionDetails({ view, around, transition, onGo }: Props & { readonly transition: ChartTransition }) {
  const { chart, comparison } = view
  const { id, source, targets, guard, actions, delay, reenters, description, event } = transition
  const rivals = around.outOf(source).filter((one) => one.event === event)
  const change = comparison?.changes.find(({ ids }) => ids.includes(id))
  return (
    <>
      <h2>{toEventText(transition)}</h2>
      <p class="kind">{toKindText(transition)}</p>
      {description !== null && <p>{description}</p>}
      {change !== undefined && <WasNow was={change.was} now={change.now} />}
      <Findings view={view} id={id} />
      <dl class="facts">
        <dt>From</dt>
        <dd>
          <Link id={source} onGo={onGo}>
            {source === chart.root ? 'any state' : toTargetName(source, chart.root)}
          </Link>
        </dd>
        <dt>To</dt>
        <dd>
          {targets.length === 0 && (isStop(transition) ? 'nowhere: the event stops here' : 'nowhere: the state stays')}
          {targets.map((target) => (
            <Link key={target} id={target} onGo={onGo}>
              {toTargetName(target, chart.root)}
            </Link>
          ))}
          {reenters && ' (entered anew)'}
        </dd>
        <Fact name="If">{guard === null ? [] : [guard.text]}</Fact>
        <Fact name="Asked">{rivals.length < 2 ? [] : [`${rivals.indexOf(transition) + 1} of ${rivals.length}`]}</Fact>
        <Fact name="Delay">
          {delay === null ? [] : [`${delay.name}${delay.ms === null ? '' : `, ${delay.ms} ms by default`}`]}
        </Fact>
        <Fact name="Does">{toActions(actions)}</Fact>
        <Fact name="Event">{event === '' ? [] : [event]}</Fact>
        <Place view={view} id={id} />
      </dl>
    </>
  )
}

export function WasNow({ was, now }: { readonly was: string | null; readonly now: string | null }) {
  return (
    <dl class="was-now">
      {was !== null && (
        <>
          <dt>was</dt>
          <dd>{was}</dd>
        </>
      )}
      {now !== null && (
        <>
          <dt>now</dt>
          <dd>{now}</dd>
        </>
      )}
    </dl>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: readonly string[] }) {
  if (children.length === 0) return null
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {children.map((text) => (
          <code key={text}>{text}</code>
        ))}
      </dd>
    </>
  )
}

function Place({ view, id }: { readonly view: View; readonly id: string }) {
  const place = view.places[id]
  return place === undefined ? null : <Fact name="Source">{[place]}</Fact>
}

function Findings({ view, id }: { readonly view: View; readonly id: string }) {
  return (
    <>
      {view.findings
        .filter((finding) => finding.id === id)
        .map(({ sentence, allowedBecause }) => (
          <p key={sentence} class={allowedBecause === null ? 'problem' : 'hint'}>
            {sentence}
            {allowedBecause !== null && `: ${allowedBecause}`}
          </p>
        ))}
    </>
  )
}

function Transitions({
  title,
  list,
  root,
  onGo,
  shows,
}: {
  readonly title: string
  readonly list: readonly ChartTransition[]
  readonly root: string
  readonly onGo: (id: string) => void
  readonly shows: 'source' | 'target'
}) {
  if (list.length === 0) return null
  const other = ({ source, targets }: ChartTransition): string => {
    if (shows === 'source') return source === root ? 'any state' : toTargetName(source, root)
    return targets.length === 0 ? 'stays' : targets.map((id) => toTargetName(id, root)).join(', ')
  }
  return (
    <section>
      <h3>{title}</h3>
      <ul class="links">
        {list.map((transition) => (
          <li key={transition.id}>
            <button type="button" onClick={() => onGo(transition.id)}>
              <b>{toEventText(transition)}</b>
              {transition.guard !== null && <span> [{transition.guard.text}]</span>}
              <span class="goal">{other(transition)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Link({
  id,
  onGo,
  children,
}: {
  readonly id: string
  readonly onGo: (id: string) => void
  readonly children: ComponentChildren
}) {
  return (
    <button type="button" class="link" onClick={() => onGo(id)}>
      {children}
    </button>
  )
}

function toActions(actions: readonly ChartAction[]): readonly string[] {
  return actions.map(toActionText)
}

function toKindText({ kind, name }: ChartTransition): string {
  const texts = {
    event: 'taken when the event comes',
    after: 'taken when time has passed',
    done: `taken when ${name} is done`,
    error: `taken when ${name} fails`,
    always: 'taken at once',
    snapshot: `taken with every snapshot of ${name}`,
  } as const
  return texts[kind]
}
