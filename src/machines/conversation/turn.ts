/**
 * The user's messages that are answered together. Owns what a turn keeps and for how long it waits.
 *
 * 1. A turn begins with the first message after an answer and ends with the next answer; its number counts turns.
 * 2. A message never leaves a turn unanswered but by the limits below; `omitted` counts those that did.
 * 3. The quiet window opens with the first message that is collected and closes when answering begins.
 *    `quietDelayMs` is computed from the events' own moments: no clock is read (docs/decisions, turn timers).
 */
import { contentOf } from '../content.ts'
import type { MessageReceived } from '../events.ts'
import { describeParts } from './describe-content.ts'
import type { TurnMessage, Voice } from './draft.ts'
import type { Settings } from './settings.ts'
import { notesPerRequestMax } from './transcription.ts'
import type { Transcript, VoiceNote } from './transcription.ts'

export type Turn = {
  readonly number: number
  readonly failures: number
  /** Attempts to read its voice messages that failed. */
  readonly hearingFailures: number
  readonly omitted: number
  readonly messages: readonly TurnMessage[]
  /** The moments of the first and the latest message of the open quiet window; null when none is open. */
  readonly window: { readonly firstAt: number; readonly latestAt: number } | null
}

/** Drafts that may fail before the conversation goes to a person. */
export const draftAttemptsMax = 3

/** A turn rides in every snapshot, so a flood must not make it grow: the newest messages stay. */
const messagesMax = 20
const charactersMax = 8_192
const bodyCharactersMax = 4_096

export const noTurn: Turn = { number: 0, failures: 0, hearingFailures: 0, omitted: 0, messages: [], window: null }

export function collectMessage(turn: Turn, received: MessageReceived): Turn {
  const { messageId, body, media, at } = received
  const isFirst = turn.messages.length === 0
  const voices = contentOf(received).flatMap((part): Voice[] =>
    part.kind === 'audio' && media[part.media] !== undefined ? [{ media: part.media, kind: 'unheard' }] : [],
  )
  const text = body.slice(0, bodyCharactersMax).toWellFormed()
  const message = { messageId, body: text, media, notes: describeParts(received), voices }
  const messages = keepNewest([...turn.messages, message])
  return {
    number: isFirst ? turn.number + 1 : turn.number,
    failures: turn.failures,
    hearingFailures: turn.hearingFailures,
    omitted: turn.omitted + turn.messages.length + 1 - messages.length,
    messages,
    window: { firstAt: turn.window?.firstAt ?? at, latestAt: at },
  }
}

export function closeWindow(turn: Turn): Turn {
  return { ...turn, window: null }
}

export function countFailure(turn: Turn): Turn {
  return { ...turn, failures: turn.failures + 1 }
}

export function countHearingFailure(turn: Turn): Turn {
  return { ...turn, hearingFailures: turn.hearingFailures + 1 }
}

/** The voice messages that nobody has heard yet, oldest first, as many as are asked for at once. */
export function toUnheard({ messages }: Turn): readonly VoiceNote[] {
  return messages
    .flatMap(({ messageId, media, voices }) =>
      voices.flatMap((voice): VoiceNote[] => {
        const attached = media[voice.media]
        return voice.kind === 'unheard' && attached !== undefined
          ? [{ messageId, media: voice.media, ...attached }]
          : []
      }),
    )
    .slice(0, notesPerRequestMax)
}

/** What was said in them goes into the turn; one of another turn, or that was heard before, changes nothing. */
export function hear(turn: Turn, transcripts: readonly Transcript[]): Turn {
  const messages = turn.messages.map((message) => {
    const voices = message.voices.map((voice): Voice => {
      const found = transcripts.find(({ messageId, media }) => messageId === message.messageId && media === voice.media)
      if (voice.kind !== 'unheard' || found === undefined) return voice
      if (found.text === null) return { media: voice.media, kind: 'unreadable' }
      const charactersEach = Math.floor(bodyCharactersMax / message.voices.length)
      return { media: voice.media, kind: 'heard', text: found.text.slice(0, charactersEach).toWellFormed() }
    })
    return { ...message, voices }
  })
  const kept = keepNewest(messages)
  return { ...turn, hearingFailures: 0, omitted: turn.omitted + messages.length - kept.length, messages: kept }
}

/** Nobody will read the ones that are left. */
export function giveUpHearing(turn: Turn): Turn {
  const messages = turn.messages.map((message) => ({
    ...message,
    voices: message.voices.map((voice): Voice => (voice.kind === 'unheard' ? { ...voice, kind: 'unreadable' } : voice)),
  }))
  return { ...turn, messages }
}

/** Whether there is anything in it that can be answered. */
export function hasWords({ messages }: Turn): boolean {
  return messages.some(
    ({ body, notes, voices }) =>
      body.trim() !== '' || notes.length > 0 || voices.length === 0 || voices.some(({ kind }) => kind === 'heard'),
  )
}

/** The turn is over, answered or not; the next one counts on. */
export function endTurn({ number }: Turn): Turn {
  return { ...noTurn, number }
}

/** From the latest message on: a quiet moment, or what is left until the window's end. */
export function quietDelayMs({ window }: Turn, { quietMs, quietMaxMs }: Settings): number {
  if (window === null) return quietMs
  const leftMs = window.firstAt + quietMaxMs - window.latestAt
  return Math.max(0, Math.min(quietMs, leftMs))
}

function keepNewest(messages: readonly TurnMessage[]): readonly TurnMessage[] {
  const newest = messages.slice(-messagesMax)
  let characters = 0
  const tooOld = newest.findLastIndex((message, place) => {
    characters += toCharacters(message)
    // The newest stays, however long it is.
    return characters > charactersMax && place < newest.length - 1
  })
  return newest.slice(tooOld + 1)
}

function toCharacters(message: TurnMessage): number {
  const texts = [...message.notes, ...message.voices.map((voice) => (voice.kind === 'heard' ? voice.text : ''))]
  return texts.reduce((sum, text) => sum + text.length, message.body.length)
}
