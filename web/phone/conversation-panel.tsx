/** What Duologue knows of the conversation: status, version, how it came there; and a way to let time pass. */
import { useState } from 'preact/hooks'
import { advanceClock, type Pair, type StatusChange } from './api.ts'
import { StatusChip, toSentence } from './status.tsx'
import { toClockTime, toDuration } from './time.ts'
import type { ConversationView } from './use-conversation.ts'

const dayMs = 86_400_000

export function ConversationPanel({ pair, view }: { readonly pair: Pair; readonly view: ConversationView }) {
  const { conversation, history } = view
  return (
    <section class="details" aria-label="Conversation">
      {conversation === null ? (
        <p class="empty">The first message opens a conversation. Its status and history appear here.</p>
      ) : (
        <>
          <div class="facts">
            <p>{toSentence(conversation.status)}</p>
            <dl>
              <dt>Version</dt>
              <dd>{conversation.version}</dd>
              <dt>Opened</dt>
              <dd>{toClockTime(Date.parse(conversation.openedAt))}</dd>
              <dt>Next timer</dt>
              <dd>{toTimer(conversation.nextTimerAt)}</dd>
            </dl>
          </div>
          <h2 id="history-title">History</h2>
          <ol class="history" aria-labelledby="history-title">
            {history.map((change) => (
              <HistoryRow key={change.version} change={change} />
            ))}
          </ol>
          <p class="links">
            <a href={`/api/conversations/${conversation.id}/history`} target="_blank" rel="noreferrer">
              History as JSON
            </a>
            <a href={`/api/conversations/${conversation.id}/events`} target="_blank" rel="noreferrer">
              Journal
            </a>
            {conversation.previousId !== null && (
              <a href={`/api/conversations/${conversation.previousId}/history`} target="_blank" rel="noreferrer">
                Earlier one
              </a>
            )}
          </p>
        </>
      )}
      <LetTimePass pair={pair} isPossible={conversation !== null} />
    </section>
  )
}

function HistoryRow({ change }: { readonly change: StatusChange }) {
  return (
    <li>
      <div class="history-head">
        <StatusChip status={change.toStatus} />
        <time dateTime={change.occurredAt}>{toClockTime(Date.parse(change.occurredAt))}</time>
      </div>
      <p>
        {change.reason ?? `by ${change.initiator}`}
        <span class="version"> · version {change.version}</span>
      </p>
    </li>
  )
}

function LetTimePass({ pair, isPossible }: { readonly pair: Pair; readonly isPossible: boolean }) {
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly said: string }>({ isBusy: false, said: '' })
  const pass = async (): Promise<void> => {
    setState({ isBusy: true, said: '' })
    const said = await advanceClock(pair, dayMs).then(
      () => '24 hours have passed for this person.',
      (error: Error) => `Time stood still: ${error.message}.`,
    )
    setState({ isBusy: false, said })
  }
  return (
    <div class="time-pass">
      <button type="button" class="secondary" disabled={!isPossible || state.isBusy} onClick={() => void pass()}>
        Advance 24 hours
      </button>
      <p role="status">{state.said}</p>
    </div>
  )
}

function toTimer(at: string | null): string {
  if (at === null) return 'none'
  const inMs = Date.parse(at) - Date.now()
  return inMs > 0 ? `in ${toDuration(inMs)}` : 'due'
}
