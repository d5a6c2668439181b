/**
 * A user's messages as they are now. The stream begins with all of them, so a page that was cut off
 * for a while shows what it missed as soon as the browser has connected again by itself.
 */
import { useEffect, useState } from 'preact/hooks'
import type { Message, Pair } from './api.ts'

export type Connection = 'connecting' | 'connected' | 'lost' | 'signed-out'

export function useMessages({ user, business }: Pair): { messages: readonly Message[]; connection: Connection } {
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [connection, setConnection] = useState<Connection>('connecting')

  useEffect(() => {
    setMessages([])
    setConnection('connecting')
    const stream = new EventSource(`/phone/api/stream?${new URLSearchParams({ user, business })}`)
    stream.addEventListener('open', () => setConnection('connected'))
    // The browser tries again by itself unless it was refused.
    stream.addEventListener('error', () => setConnection(stream.readyState === stream.CLOSED ? 'signed-out' : 'lost'))
    stream.addEventListener('messages', (event) => setMessages(JSON.parse(event.data) as Message[]))
    stream.addEventListener('message', (event) => {
      const message = JSON.parse(event.data) as Message
      setMessages((known) => withMessage(known, message))
    })
    return () => stream.close()
  }, [user, business])

  return { messages, connection }
}

function withMessage(known: readonly Message[], message: Message): readonly Message[] {
  const place = known.findIndex(({ id }) => id === message.id)
  return place === -1 ? [...known, message] : known.with(place, message)
}
