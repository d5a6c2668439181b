/** Who stands where: the numbers in words, the list of the selected state, whom a change touches, who is stuck. */
import type { LiveAnswer } from '../../../src/charts/live/live-answer.ts'
import type { View } from '../../../src/charts/library.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { windows, type Address } from '../address.ts'
import type { Go } from '../use-address.ts'
import { ImpactList } from './impact-list.tsx'
import type { Laid } from '../review/overlays.ts'
import { ConversationView } from './conversation-view.tsx'
import { StandingList, type Listed } from './standing-list.tsx'
import { Stuck } from './stuck.tsx'
import { toLost } from './to-lost.ts'
import type { Live } from './use-live.ts'
import './live.css'

export { layLive } from './lay-live.ts'

export type LivePanelProps = {
  readonly view: View
  readonly live: Live
  readonly address: Address
  readonly go: Go
  readonly onGo: (id: string) => void
  /** Where the conversation that is looked at stands, over the chart. */
  readonly onToken: (laid: Laid | null) => void
}

export function LivePanel(props: LivePanelProps) {
  const { conversation } = props.address
  return conversation === null ? (
    <Everybody {...props} />
  ) : (
    <ConversationView key={conversation} id={conversation} {...props} />
  )
}

function Everybody({ view, live, address, go, onGo }: LivePanelProps) {
  const { answer, problem } = live
  const { chart, comparison } = view
  const taken = chart.transitions.find(({ id }) => id === address.selected)
  const listed = toListed(view, taken?.source ?? address.selected, address.over)
  const list = (selected: string, over: string | null): void => {
    onGo(selected)
    go({ selected, over }, 'push')
    // Where there is little room for the panel the list begins at its top.
    const block = innerWidth < 860 ? 'start' : 'nearest'
    requestAnimationFrame(() => document.getElementById('standing')?.scrollIntoView({ block }))
  }
  return (
    <>
      <h2>Live</h2>
      {problem !== null && (
        <p class="problem" role="alert">
          {toLost(live)}
        </p>
      )}
      <fieldset class="window">
        <legend>Transitions of the last</legend>
        {windows.map((window) => (
          <label key={window}>
            <input
              type="radio"
              name="window"
              checked={address.window === window}
              onChange={() => go({ window }, 'push')}
            />
            {window}
          </label>
        ))}
      </fieldset>
      {answer === null ? (
        problem === null && <p class="hint">The numbers are being read …</p>
      ) : (
        <>
          <Totals answer={answer} isCompared={comparison !== null} />
          {comparison !== null && answer.impact !== null && (
            <ImpactList impact={answer.impact} chart={chart} onGo={onGo} />
          )}
          <Stuck
            chart={comparison?.baseRef ?? view.ref}
            root={chart.root}
            moment={String(live.heardAt)}
            onGo={(id) => list(id, null)}
            onOver={(id) => list(id, id)}
          />
          {taken !== undefined && (
            <p>
              The selected transition was taken <b>{(answer.transitions[taken.id] ?? 0).toLocaleString('en')}</b> times;
              it begins where these stand.
            </p>
          )}
          <StandingList
            {...listed}
            moment={String(live.heardAt)}
            onOpen={(conversation) => go({ conversation, moment: null }, 'push')}
            onAll={() => go({ over: null }, 'push')}
          />
        </>
      )}
    </>
  )
}

type TotalsProps = { readonly answer: LiveAnswer; readonly isCompared: boolean }

/** Compared, what the change touches says more of steps and states that the newer chart does not have. */
function Totals({ answer: { total, open, elsewhere, unplaced }, isCompared }: TotalsProps) {
  return (
    <p class="totals">
      <b>{total.toLocaleString('en')}</b> conversations, <b>{open.toLocaleString('en')}</b> open
      {!isCompared && elsewhere > 0 && `; ${elsewhere.toLocaleString('en')} in states that this chart does not have`}
      {!isCompared && unplaced > 0 && `; ${unplaced.toLocaleString('en')} steps that no transition of it explains`}
    </p>
  )
}

/** A state that only the older chart of a comparison has is asked of that one. */
function toListed({ ref, chart, comparison }: View, wanted: string | null, over: string | null): Listed {
  const state = chart.states.find(({ id }) => id === wanted)
  if (state === undefined || state.id === chart.root)
    return { chart: ref, state: chart.root, name: null, isOver: false }
  const isGone = comparison !== null && comparison.onlyBase.includes(state.id)
  return {
    chart: isGone ? comparison.baseRef : ref,
    state: state.id,
    name: toTargetName(state.id, chart.root),
    isOver: over === state.id,
  }
}
