/** What a message asks for in a word (`closing-words.ts`), by the rules of the scheme that it came by. */
import type { MessageReceived } from '../events.ts'
import { readIntent, vocabularyOf } from './closing-words.ts'
import type { Intent, Scheme } from './closing-words.ts'
import { toTenantVocabulary } from './tenant-phrases.ts'
import type { TenantPhrases } from './tenant-phrases.ts'

/** `phrases`: the tenant's own, beside ours. */
export function readMessageIntent(
  { body, media, content = [], consent }: Pick<MessageReceived, 'body' | 'media' | 'content' | 'consent'>,
  scheme: Scheme,
  phrases: TenantPhrases | null = null,
): Intent | null {
  if (consent !== undefined) return consent === 'withdrawn' ? 'stop' : 'start'
  const intent = readIntent(body, phrases === null ? vocabularyOf[scheme] : toTenantVocabulary(scheme, phrases))
  // Opting out or in stays what it is, whatever comes with it.
  if (intent === 'stop' || intent === 'start') return intent
  // A picture says more than its caption "obrigado".
  if (media.length > 0) return null
  // A button that reads "Cancelar" answers our question, whatever that was; it ends no conversation.
  const isOwnWords = content.every(({ kind }) => ownWords.has(kind))
  return intent === 'handoff' || isOwnWords ? intent : null
}

const ownWords: ReadonlySet<string> = new Set(['text', 'quote', 'referral'])

/** The scheme's rules; an address of another kind is held to the strictest, those of SMS. */
export function toScheme(businessAddress: string): Scheme {
  return businessAddress.startsWith('whatsapp:') ? 'whatsapp' : 'sms'
}
