/**
 * The built-in phone: on the left who one is, in the middle the conversation as that person sees it,
 * on the right what Duologue knows of it. On a narrow screen left and right are sheets.
 */
import { useEffect, useState } from 'preact/hooks'
import { readBusinessAddresses, type Pair } from './api.ts'
import { Composer } from './composer.tsx'
import { ConversationPanel } from './conversation-panel.tsx'
import { loadPeople, savePeople, toChannel, toReadablePhone, withPerson, type People } from './people.ts'
import { PeopleList } from './people-list.tsx'
import { Sheet } from './sheet.tsx'
import { StatusChip } from './status.tsx'
import { Thread } from './thread.tsx'
import { useConversation } from './use-conversation.ts'
import { useMediaQuery } from './use-media-query.ts'
import { useMessages, type Connection } from './use-messages.ts'

export function Phone() {
  const [businesses, setBusinesses] = useState<readonly string[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    readBusinessAddresses().then(setBusinesses, (error: Error) => setProblem(error.message))
  }, [])
  if (problem !== null) return <p class="notice">The phone could not start: {problem}.</p>
  return businesses === null ? null : <Desk businesses={businesses} />
}

function Desk({ businesses }: { readonly businesses: readonly string[] }) {
  const [people, setPeople] = useState(loadPeople)
  useEffect(() => savePeople(people), [people])
  const channel = toChannel(people.selected)
  const business = businesses.find((address) => address.startsWith(`${channel}:`))
  const select = (address: string): void => setPeople((known) => withPerson(known, address))
  if (business === undefined) return <p class="notice">No business address is set up for this channel.</p>
  return <Conversation pair={{ user: people.selected, business }} people={people} onSelect={select} />
}

type ConversationProps = {
  readonly pair: Pair
  readonly people: People
  readonly onSelect: (address: string) => void
}

function Conversation({ pair, people, onSelect }: ConversationProps) {
  const isWide = useMediaQuery('(min-width: 1080px)')
  const isNarrow = useMediaQuery('(max-width: 759px)')
  const [sheet, setSheet] = useState<'people' | 'details' | null>(null)
  const { messages, connection } = useMessages(pair)
  const view = useConversation(pair, messages)
  const { conversation } = view
  const list = <PeopleList people={people} onSelect={(address) => (onSelect(address), setSheet(null))} />
  const panel = <ConversationPanel pair={pair} view={view} />
  return (
    <div class="desk">
      {!isNarrow && <aside class="people-pane">{list}</aside>}
      <main class="chat">
        <header class="chat-header">
          <div class="chat-title">
            <h1>{toReadablePhone(pair.business)}</h1>
            <ConnectionState connection={connection} />
          </div>
          {isNarrow && (
            <button type="button" class="quiet" onClick={() => setSheet('people')} aria-haspopup="dialog">
              <span class="label">Writing as</span> {toReadablePhone(pair.user)}
            </button>
          )}
          <button
            type="button"
            class="status-button"
            disabled={isWide}
            aria-haspopup="dialog"
            onClick={() => setSheet('details')}
          >
            <StatusChip status={conversation?.status ?? null} />
            <span class="version">{conversation === null ? 'no messages yet' : `version ${conversation.version}`}</span>
          </button>
        </header>
        <Thread key={pair.user} pair={pair} messages={messages} isLoading={connection === 'connecting'} />
        <Composer key={`to ${pair.user}`} pair={pair} />
      </main>
      {isWide && <aside class="details-pane">{panel}</aside>}
      <Sheet title="Writing as" isOpen={sheet === 'people' && isNarrow} onClose={() => setSheet(null)}>
        {list}
      </Sheet>
      <Sheet title="Conversation" isOpen={sheet === 'details' && !isWide} onClose={() => setSheet(null)}>
        {panel}
      </Sheet>
    </div>
  )
}

const connectionWords: { readonly [connection in Connection]: string } = {
  connecting: 'Connecting…',
  connected: 'Connected',
  lost: 'Connection lost, trying again…',
  'signed-out': 'Signed out: open the link that Duologue printed',
}

function ConnectionState({ connection }: { readonly connection: Connection }) {
  return (
    <p class="connection" data-connection={connection} role="status">
      {connectionWords[connection]}
    </p>
  )
}
