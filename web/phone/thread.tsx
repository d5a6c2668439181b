/** The messages of the two, oldest first; arriving answers are read aloud and scrolled to. */
import { Fragment } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { sendMessage, type Message, type Pair } from './api.ts'
import { Tick } from './tick.tsx'
import { isSameDay, toDay, toTime } from './time.ts'

/** Whoever reads further up than this is not pulled down by a new message. */
const nearEndPixels = 160

export type ThreadProps = {
  readonly pair: Pair
  readonly messages: readonly Message[]
  readonly isLoading: boolean
}

export function Thread({ pair, messages, isLoading }: ThreadProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const last = messages.at(-1)
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const toEnd = element.scrollHeight - element.scrollTop - element.clientHeight
    const isOwn = last?.direction === 'sent'
    if (isOwn || toEnd < element.clientHeight * 0.5 + nearEndPixels) element.scrollTop = element.scrollHeight
  }, [last?.id, messages.length])
  return (
    <div class="thread" ref={scroller} tabIndex={0} role="log" aria-live="polite" aria-label="Messages">
      {messages.length === 0 && !isLoading && (
        <p class="empty">Say something. The answer arrives here, as on a phone.</p>
      )}
      <ol>
        {messages.map((message, index) => (
          <Fragment key={message.id}>
            <DayMark at={message.at} before={messages[index - 1]?.at ?? null} />
            <Bubble message={message} pair={pair} isGrouped={isFollowUp(message, messages[index - 1])} />
          </Fragment>
        ))}
      </ol>
    </div>
  )
}

type BubbleProps = { readonly message: Message; readonly pair: Pair; readonly isGrouped: boolean }

function Bubble({ message, pair, isGrouped }: BubbleProps) {
  const isOwn = message.direction === 'sent'
  return (
    <li class="message" data-direction={message.direction} data-grouped={isGrouped} data-status={message.status}>
      <div class="bubble">
        <span class="visually-hidden">{isOwn ? 'You: ' : 'Answer: '}</span>
        <p class="text">{message.body}</p>
        <p class="meta">
          <time dateTime={new Date(message.at).toISOString()}>{toTime(message.at)}</time>
          <Tick status={message.status} />
        </p>
      </div>
      {isOwn && message.status === 'failed' && (
        <button type="button" class="again" onClick={() => void sendMessage(pair, message.body)}>
          Not delivered. Send again
        </button>
      )}
    </li>
  )
}

function DayMark({ at, before }: { readonly at: number; readonly before: number | null }) {
  if (before !== null && isSameDay(at, before)) return null
  return (
    <li class="day">
      <span>{toDay(at)}</span>
    </li>
  )
}

function isFollowUp(message: Message, before: Message | undefined): boolean {
  return before?.direction === message.direction && message.at - before.at < 60_000
}
