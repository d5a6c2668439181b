/** Who stands where: the numbers in words, the list of the selected state, whom a change touches, who is stuck. */
import type { View } from '../../../src/charts/library.ts'
import { toTargetName } from '../../../src/charts/target-name.ts'
import { windows, type Address } from '../address.ts'
import type { Go } from '../use-address.ts'
import { ImpactList } from './impact-list.tsx'
import type { Laid } from '../review/overlays.ts'
import { ConversationView } from './conversation-view.tsx'
import { StandingList } from './standing-list.tsx'
import { Stuck } from './stuck.tsx'
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
  const selected = chart.states.find(({ id }) => id === address.selected)
  const taken = chart.transitions.find(({ id }) => id === address.selected)
  return (
    <>
      <h2>Live</h2>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
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
        <p class="hint">The numbers are being read …</p>
      ) : (
        <>
          <p class="totals">
            <b>{answer.total.toLocaleString('en')}</b> conversations, <b>{answer.open.toLocaleString('en')}</b> open
            {answer.elsewhere > 0 &&
              `; ${answer.elsewhere.toLocaleString('en')} in states that this chart does not have`}
            {answer.unplaced > 0 && `; ${answer.unplaced.toLocaleString('en')} steps that no transition of it explains`}
          </p>
          {comparison !== null && answer.impact !== null && (
            <ImpactList impact={answer.impact} chart={chart} onGo={onGo} />
          )}
          {taken !== undefined && (
            <p>
              The selected transition was taken <b>{(answer.transitions[taken.id] ?? 0).toLocaleString('en')}</b> times.
            </p>
          )}
          <StandingList
            chart={view.ref}
            state={selected?.id ?? null}
            name={selected === undefined || selected.id === chart.root ? null : toTargetName(selected.id, chart.root)}
            moment={answer.snapshotId}
            onOpen={(conversation) => go({ conversation, moment: null }, 'push')}
          />
          <Stuck chart={view.ref} root={chart.root} moment={answer.snapshotId} onGo={onGo} />
        </>
      )}
    </>
  )
}
