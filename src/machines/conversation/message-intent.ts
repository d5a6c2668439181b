/** What a message asks for in a word (`closing-words.ts`), by the rules of the scheme that it came by. */
import type { MessageReceived } from '../events.ts'
import { readIntent, vocabularyOf } from './closing-words.ts'
import type { Intent, Scheme } from './closing-words.ts'

export function readMessageIntent({ body, media }: MessageReceived, scheme: Scheme): Intent | null {
  const intent = readIntent(body, vocabularyOf[scheme])
  // A picture says more than its caption "obrigado"; opting out or in stays what it is.
  const isWholeMessage = media.length === 0 || intent === 'stop' || intent === 'start'
  return isWholeMessage ? intent : null
}

/** The scheme's rules; an address of another kind is held to the strictest, those of SMS. */
export function toScheme(businessAddress: string): Scheme {
  return businessAddress.startsWith('whatsapp:') ? 'whatsapp' : 'sms'
}
