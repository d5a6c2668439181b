/**
 * What a conversation remembers. Plain JSON without `undefined`, NaN or Date, because a restored
 * snapshot must take the same branches; small, because every step writes it and every resident
 * conversation holds it: only the turn that is being answered, never the past.
 */
import type { JsonObject } from '../json.ts'
import type { Status } from '../status.ts'
import type { Scheme } from './closing-words.ts'
import type { Recovery } from './draft.ts'
import type { Language } from './language.ts'
import type { Line } from './operator-events.ts'
import { noRate, readRateLimits } from './rate.ts'
import type { Rate, RateLimits } from './rate.ts'
import { readLanguage, readSettings } from './settings.ts'
import type { Settings } from './settings.ts'
import { readPhrases } from './tenant-phrases.ts'
import type { TenantPhrases } from './tenant-phrases.ts'
import { noTurn } from './turn.ts'
import type { Turn } from './turn.ts'

export type ConversationInput = {
  readonly scheme: Scheme
  /** `tenants.settings`, as stored. */
  readonly settings: JsonObject
  /** The conversation before this one: its status, and why it had it. */
  readonly previousStatus: Status | null
  readonly previousReason: string | null
  /** How much the user wrote of late; absent in journals of before it was counted. */
  readonly rate?: Rate | null
}

export type ConversationContext = {
  readonly scheme: Scheme
  readonly settings: Settings
  readonly limits: RateLimits
  readonly rate: Rate
  /** What ends, opens or hands over a conversation at this tenant beside the words that we know. */
  readonly phrases: TenantPhrases | null
  /** Of the user's latest message that showed one. */
  readonly language: Language
  readonly recovery: Recovery | null
  readonly turn: Turn
  /** True after a queue in which nobody came, until somebody answers. */
  readonly nobodyCame: boolean
  /** Who has taken the conversation over; null while nobody has. */
  readonly operatorId: string | null
  /** Which line of people a handoff is with. */
  readonly line: Line
  /** Why the status is what it is. */
  readonly reason: string
}

/**
 * XState makes (and drops) an initial snapshot without input inside every pure `transition`: that one must
 * neither throw, since throwing is slow, nor cost anything.
 */
export function createContext({ input }: { readonly input: ConversationInput | undefined }): ConversationContext {
  return input === undefined ? unusedContext : toContext(input)
}

function toContext(input: ConversationInput): ConversationContext {
  return {
    scheme: input.scheme,
    settings: readSettings(input.settings),
    limits: readRateLimits(input.settings),
    rate: input.rate ?? noRate,
    phrases: readPhrases(input.settings),
    language: readLanguage(input.settings),
    recovery: input.previousStatus === 'FAILED' ? { reason: input.previousReason ?? 'it is not known' } : null,
    turn: noTurn,
    nobodyCame: false,
    operatorId: null,
    line: 'agent',
    reason: 'the user wrote',
  }
}

const unusedContext = toContext({ scheme: 'whatsapp', settings: {}, previousStatus: null, previousReason: null })
