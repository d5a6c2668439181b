/**
 * Reads what a model wrote. It may only choose: a reply, an intent among those that the chart offers, and how sure
 * it is. One JSON object of exactly these three fields is a draft, with or without a code fence around it; anything
 * else is a failed attempt, however well it is meant.
 */
import { replyCharactersMax, toDraft } from '../../machines/conversation/draft.ts'
import type { Draft } from '../../machines/conversation/draft.ts'
import { findForeignContact } from './foreign-contact.ts'
import type { AllowedContacts } from './foreign-contact.ts'

export type ReadDraft =
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'refused'; readonly code: 'empty' | 'malformed' | 'not-allowed'; readonly message: string }

const fields: ReadonlySet<string> = new Set(['reply', 'intent', 'confidence'])
const fence = /^```(?:json)?[ \t]*\r?\n(.*?)\r?\n?```$/isu
/** Line breaks and tabs aside; the database takes no NUL, and nobody can see the others. */
const controlCharacters = /[^\P{Cc}\n\r\t]/u

export function readDraft(text: string, allowed: AllowedContacts): ReadDraft {
  const trimmed = text.trim()
  if (trimmed === '') return { kind: 'refused', code: 'empty', message: 'the answer is empty' }
  const value = parse(fence.exec(trimmed)?.[1] ?? trimmed)
  if (!isDraftObject(value)) return malformed(`not one object of ${[...fields].join(', ')}`)
  const draft = toDraft(value)
  if (draft === null)
    return malformed(`not a reply of 1 to ${replyCharactersMax} characters, an intent and a confidence`)
  if (!draft.reply.isWellFormed() || controlCharacters.test(draft.reply)) return malformed('it has control characters')
  const foreign = findForeignContact(draft.reply, allowed)
  if (foreign === null) return { kind: 'draft', draft }
  return {
    kind: 'refused',
    code: 'not-allowed',
    message: `the answer names ${foreign} that is not on the tenant's list`,
  }
}

function malformed(why: string): ReadDraft {
  return { kind: 'refused', code: 'malformed', message: `the answer is not of the agreed form: ${why}` }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A missing field is found by `toDraft`. `JSON.parse` makes an own field of `__proto__`, so it is seen here too. */
function isDraftObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.keys(value).every((key) => fields.has(key))
}
