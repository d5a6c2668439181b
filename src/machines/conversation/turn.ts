/**
 * The user's messages that are answered together. Owns what a turn keeps and for how long it waits.
 *
 * 1. A turn begins with the first message after an answer and ends with the next answer; its number counts turns.
 * 2. A message never leaves a turn unanswered but by the limits below; `omitted` counts those that did.
 * 3. The quiet window opens with the first message that is collected and closes when answering begins.
 *    `quietDelayMs` is computed from the events' own moments: no clock is read (docs/decisions, turn timers).
 */
import type { MessageReceived } from '../events.ts'
import type { TurnMessage } from './draft.ts'
import type { Settings } from './settings.ts'

export type Turn = {
  readonly number: number
  readonly failures: number
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

export const noTurn: Turn = { number: 0, failures: 0, omitted: 0, messages: [], window: null }

export function collectMessage(turn: Turn, { messageId, body, media, at }: MessageReceived): Turn {
  const isFirst = turn.messages.length === 0
  const message = { messageId, body: body.slice(0, bodyCharactersMax).toWellFormed(), media }
  const messages = keepNewest([...turn.messages, message])
  return {
    number: isFirst ? turn.number + 1 : turn.number,
    failures: turn.failures,
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
  let first = Math.max(0, messages.length - messagesMax)
  let characters = 0
  for (let index = messages.length - 1; index >= first; index -= 1) {
    characters += messages[index]?.body.length ?? 0
    if (characters > charactersMax) first = index + 1
  }
  return first === 0 ? messages : messages.slice(first)
}
