/**
 * What the assistant is asked for and what may come back. Whatever a model answers is not trusted: only
 * an output of exactly this form is a draft, anything else counts as a failed attempt. An intent is a
 * wish; what becomes of it is the chart's choice.
 */
import type { Media } from '../events.ts'
import type { Json } from '../json.ts'
import type { Language } from './language.ts'

export type TurnMessage = {
  readonly messageId: string
  readonly body: string
  readonly media: readonly Media[]
  /** What it holds beside text and voice, in words. */
  readonly notes: readonly string[]
  readonly voices: readonly Voice[]
}

/** A voice message of the turn, by its place among the media. */
export type Voice =
  | { readonly media: number; readonly kind: 'unheard' }
  | { readonly media: number; readonly kind: 'heard'; readonly text: string }
  | { readonly media: number; readonly kind: 'unreadable' }

/** A conversation after one that failed: the assistant is told why. */
export type Recovery = { readonly reason: string }

/** The input of the effect `draftReply`. */
export type DraftRequest = {
  /** Counts the turns of the conversation, from 1. */
  readonly turn: number
  /** Counts the attempts of this turn, from 1. */
  readonly attempt: number
  /** All unanswered messages, oldest first. */
  readonly messages: readonly TurnMessage[]
  /** Older unanswered messages that no longer fit; they are in the store. */
  readonly omitted: number
  /** The language that the user wrote in last. */
  readonly language: Language
  /** What went wrong in the conversation before this one; null unless it failed. */
  readonly recovery: Recovery | null
}

export const draftIntents = ['continue', 'handoff', 'close'] as const
export type DraftIntent = (typeof draftIntents)[number]

/** The output of the effect `draftReply`. */
export type Draft = { readonly reply: string; readonly intent: DraftIntent; readonly confidence: number }

/** A longer one is no answer; what is too long for one message goes out in pieces. */
export const replyCharactersMax = 4_096

/** The draft in an effect's output; null when it is not one. */
export function toDraft(output: unknown): Draft | null {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return null
  const { reply, intent, confidence } = output as { readonly [field: string]: Json | undefined }
  if (typeof reply !== 'string' || reply.trim() === '' || reply.length > replyCharactersMax) return null
  if (typeof confidence !== 'number' || !(confidence >= 0 && confidence <= 1)) return null
  const known = draftIntents.find((candidate) => candidate === intent)
  return known === undefined ? null : { reply, intent: known, confidence }
}
