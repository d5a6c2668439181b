/**
 * The newest conversation of the two and its history, asked again whenever a message changed and
 * every two seconds, since timers change a conversation without any message.
 */
import { useEffect, useState } from 'preact/hooks'
import { findConversation, readHistory, type Conversation, type Pair, type StatusChange } from './api.ts'

const askEveryMs = 2_000

export type ConversationView = {
  readonly conversation: Conversation | null
  readonly history: readonly StatusChange[]
}

const nothing: ConversationView = { conversation: null, history: [] }

/** `change` is any value that is another one when there may be news. */
export function useConversation({ user, business }: Pair, change: unknown): ConversationView {
  const [view, setView] = useState(nothing)

  useEffect(() => setView(nothing), [user, business])

  useEffect(() => {
    let isCurrent = true
    const ask = async (): Promise<void> => {
      if (document.hidden) return
      try {
        const conversation = await findConversation({ user, business })
        const history = conversation === null ? [] : await readHistory(conversation.id)
        if (isCurrent) setView({ conversation, history })
      } catch {
        // What was shown stays; the connection's own state tells that something is wrong.
      }
    }
    void ask()
    const asking = setInterval(() => void ask(), askEveryMs)
    return () => {
      isCurrent = false
      clearInterval(asking)
    }
  }, [user, business, change])

  return view
}
