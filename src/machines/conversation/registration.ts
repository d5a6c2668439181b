/** The conversation machine as one that Duologue hosts. */
import type { AnyMachineSnapshot } from 'xstate'

import type { MessageReceived } from '../events.ts'
import type { JsonObject } from '../json.ts'
import type { MachineChannel, MachineRegistration, Opening } from '../registry.ts'
import { isClosed, statuses } from '../status.ts'
import type { Status } from '../status.ts'
import type { ConversationContext, ConversationInput } from './context.ts'
import { conversationMachine } from './machine.ts'
import { readMessageIntent, toScheme } from './message-intent.ts'
import { olderVersions } from './older-versions.ts'
import { isTooMany, noRate, readRateLimits } from './rate.ts'
import type { Rate } from './rate.ts'
import { readOperatorEvent } from './operator-events.ts'
import type { OperatorCommand } from './operator-events.ts'
import { toRefusal } from './refusal.ts'
import { readPhrases } from './tenant-phrases.ts'
import { toTranscripts } from './transcription.ts'

export const conversationRegistration: MachineRegistration = {
  machine: conversationMachine,
  opensOn,
  toInput,
  isOverLimit,
  toStatus,
  toReason: (snapshot) => contextOf(snapshot).reason,
  toSpeaker,
  readCommand: readOperatorEvent,
  toRefusal: (snapshot, command) =>
    toRefusal(toStatus(snapshot), contextOf(snapshot), command as unknown as OperatorCommand),
  toConsent,
  effectActions: ['sendMessage'],
  versions: olderVersions,
}

/**
 * A message opens, unless it only opts out or in, or says goodbye to a conversation that is closed
 * already: a user's "obrigado!" after our goodbye must not begin another round of goodbyes.
 */
function opensOn(event: { readonly type: string }, opening: Opening): boolean {
  return mayOpen(event, opening) && !isOverLimit(event, opening)
}

/** Counted on from the user's last conversation: closing and opening again gives no new allowance. */
function isOverLimit(event: { readonly type: string }, opening: Opening): boolean {
  const limits = readRateLimits(opening.settings)
  return mayOpen(event, opening) && isTooMany(toRate(opening.previous?.context), opening.at, limits)
}

function toRate(context: JsonObject | null = null): Rate {
  const rate = context?.['rate'] as Rate | undefined
  return rate ?? noRate
}

function mayOpen(event: { readonly type: string }, { businessAddress, settings, previous }: Opening): boolean {
  if (event.type !== 'message.received') return false
  const intent = readMessageIntent(event as MessageReceived, toScheme(businessAddress), readPhrases(settings))
  if (intent === 'stop' || intent === 'start') return false
  const isGoodbye = intent === 'close' || intent === 'thanks'
  return !isGoodbye || previous === null
}

function toInput({ businessAddress, settings, previous }: Opening): ConversationInput {
  return {
    scheme: toScheme(businessAddress),
    settings,
    previousStatus: previous?.status ?? null,
    previousReason: previous?.reason ?? null,
    ...(previous?.context?.['rate'] !== undefined && { rate: toRate(previous.context) }),
  }
}

/** The chart's top-level states are the statuses. */
function toStatus(snapshot: AnyMachineSnapshot): Status {
  const value: unknown = snapshot.value
  const name = typeof value === 'string' ? value : Object.keys(value as object)[0]
  const status = statuses.find((candidate) => candidate === name)
  if (status === undefined) throw new Error(`the conversation chart has no status '${String(name)}'`)
  return status
}

/** The assistant until a person is asked for; nobody while the conversation waits for one. */
function toSpeaker(snapshot: AnyMachineSnapshot): string {
  const status = toStatus(snapshot)
  if (isClosed(status)) return 'none'
  const { operatorId } = contextOf(snapshot)
  if (operatorId !== null) return `operator:${operatorId}`
  return status === 'HUMAN_HANDOFF' ? 'none' : 'assistant'
}

function toConsent(event: { readonly type: string }, { businessAddress, settings }: MachineChannel) {
  const scheme = toScheme(businessAddress)
  const phrases = readPhrases(settings)
  if (event.type === 'xstate.done.actor.transcribe') {
    const transcripts = 'output' in event ? toTranscripts(event.output) : null
    const isStop = (text: string | null): boolean =>
      text !== null && readMessageIntent({ body: text, media: [] }, scheme, phrases) === 'stop'
    // Opting in again has to be written: a word that was misheard must not bring messages back.
    return transcripts?.some(({ text }) => isStop(text)) === true ? 'withdrawn' : null
  }
  if (event.type !== 'message.received') return null
  const intent = readMessageIntent(event as MessageReceived, scheme, phrases)
  if (intent === 'stop') return 'withdrawn'
  return intent === 'start' ? 'given' : null
}

function contextOf(snapshot: Pick<AnyMachineSnapshot, 'context'>): ConversationContext {
  return snapshot.context as ConversationContext
}
