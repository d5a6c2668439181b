/**
 * What a conversation remembers. Plain JSON without `undefined`, NaN or Date, because a restored
 * snapshot must take the same branches; small, because every step writes it and every resident
 * conversation holds it: only the turn that is being answered, never the past.
 */
import type { JsonObject } from '../json.ts'
import type { Status } from '../status.ts'
import type { Scheme } from './closing-words.ts'
import type { Language } from './language.ts'
import { readLanguage, readSettings } from './settings.ts'
import type { Settings } from './settings.ts'
import { noTurn } from './turn.ts'
import type { Turn } from './turn.ts'

export type ConversationInput = {
  readonly scheme: Scheme
  /** `tenants.settings`, as stored. */
  readonly settings: JsonObject
  readonly previousStatus: Status | null
}

export type ConversationContext = {
  readonly scheme: Scheme
  readonly settings: Settings
  /** Of the user's latest message that showed one. */
  readonly language: Language
  /** True when the conversation before this one failed. */
  readonly recovery: boolean
  readonly turn: Turn
  /** True after a queue in which nobody came, until somebody answers. */
  readonly nobodyCame: boolean
  /** Who has taken the conversation over; null while nobody has. */
  readonly operatorId: string | null
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
    language: readLanguage(input.settings),
    recovery: input.previousStatus === 'FAILED',
    turn: noTurn,
    nobodyCame: false,
    operatorId: null,
    reason: 'the user wrote',
  }
}

const unusedContext = toContext({ scheme: 'whatsapp', settings: {}, previousStatus: null })
