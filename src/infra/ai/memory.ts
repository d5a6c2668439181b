/**
 * What the model sees of a session: its earlier messages, also those of earlier conversations, and then the turn.
 *
 * 1. Nothing that was stored after the turn's first message is memory: no later turn, no answer to one.
 * 2. The turn's messages come last, in order, each once, together as one message of the user.
 * 3. A memory begins with the user and its speakers alternate: many open models take nothing else.
 */
import type { MessageRecord } from '../../actors/ports.ts'
import { describeMessage, describeVoice } from '../../machines/conversation/describe-content.ts'
import type { DraftRequest, TurnMessage } from '../../machines/conversation/draft.ts'

export type ChatMessage = { readonly role: 'user' | 'assistant'; readonly content: string }

/** Of all memory together; beside it there is one turn, which has a limit of its own. */
export const memoryCharactersMax = 16_000
const messageCharactersMax = 2_000

/** `records` are the newest of the session, oldest first; at most `messagesMax` of those before the turn are taken. */
export function toChatMessages(
  records: readonly MessageRecord[],
  { messages, omitted }: Pick<DraftRequest, 'messages' | 'omitted'>,
  messagesMax: number,
): readonly ChatMessage[] {
  const earlier = keepNewest(beforeTurn(records, messages[0]?.messageId), messagesMax)
  const first = earlier.findIndex(({ author }) => author === 'user')
  const memory = alternate(first < 0 ? [] : earlier.slice(first).map(toMemory))
  const turn: ChatMessage = {
    role: 'user',
    content: messages.map(describeTurn).join('\n'),
  }
  // What no longer fits into the turn belongs to it all the same.
  if (memory.at(-1)?.role !== 'user' || omitted > 0) return alternate([...memory, turn])
  return [...memory, { role: 'assistant', content: noAnswer }, turn]
}

/** How many records to ask the store for: the turn's own and a few newer ones are among them. */
export function recordsWanted(messagesMax: number, { messages, omitted }: Pick<DraftRequest, 'messages' | 'omitted'>) {
  const newerMax = 20
  return Math.min(200, messagesMax + messages.length + Math.min(omitted, messagesMax) + newerMax)
}

const noAnswer = '(There was no answer.)'
const noText = '(A message without text.)'

/** Ids sort by their moment, so the turn's first message need not be among the records. */
function beforeTurn(records: readonly MessageRecord[], firstId: string | undefined): readonly MessageRecord[] {
  if (firstId === undefined) return records
  const place = records.findIndex(({ messageId }) => messageId === firstId)
  return place < 0 ? records.filter(({ messageId }) => messageId < firstId) : records.slice(0, place)
}

function keepNewest(records: readonly MessageRecord[], messagesMax: number): readonly MessageRecord[] {
  let first = records.length
  for (let characters = 0; first > 0 && records.length - first < messagesMax; first -= 1) {
    characters += Math.min(messageCharactersMax, toLength(records[first - 1]))
    if (characters > memoryCharactersMax) break
  }
  return records.slice(first)
}

function toLength(record: MessageRecord | undefined): number {
  return record === undefined ? 0 : describeMessage(record, record.transcripts).length
}

function toMemory(record: MessageRecord): ChatMessage {
  const text = shorten(describeMessage(record, record.transcripts)) || noText
  switch (record.author) {
    case 'user':
      return { role: 'user', content: text }
    case 'operator':
      return { role: 'assistant', content: `(A person of the team wrote:) ${text}` }
    case 'assistant':
    case 'system':
      return { role: 'assistant', content: text }
  }
}

function alternate(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const joined: ChatMessage[] = []
  for (const message of messages) {
    const last = joined.at(-1)
    if (last?.role !== message.role) joined.push(message)
    else joined[joined.length - 1] = { role: last.role, content: `${last.content}\n${message.content}` }
  }
  return joined
}

/** Attachments are named, not fetched; what was said in a voice message is told. */
/** Another machine's turns, and those of a chart before version 3, have words alone. */
function describeTurn({ body, notes = [], voices = [] }: Pick<TurnMessage, 'body'> & Partial<TurnMessage>): string {
  const heard = voices.map((voice) => describeVoice(voice.kind === 'heard' ? voice.text : null))
  return [body.trim(), ...notes, ...heard].filter((part) => part !== '').join('\n') || noText
}

function shorten(body: string): string {
  if (body.length <= messageCharactersMax) return body
  return `${body.slice(0, messageCharactersMax).toWellFormed()}…`
}
