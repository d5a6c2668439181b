/**
 * What an operator wrote, as messages that the provider takes. An MMS carries all attachments beside its text. On
 * WhatsApp a message carries one attachment, and only a picture or a video carries a text of up to 1,024 characters:
 * a document's or a recording's would be dropped without a word, so there the text is a message of its own.
 */
import type { Scheme } from './closing-words.ts'
import type { OperatorReplied } from './operator-events.ts'
import { splitText } from './split-text.ts'

export type OutboundMessage = {
  readonly author: 'assistant' | 'operator' | 'system'
  readonly body: string
  /** An operator's attachments. */
  readonly mediaUrls?: readonly string[]
  /** A template of the provider, in place of a body. */
  readonly contentSid?: string
  readonly contentVariables?: string
}

const captionCharactersMax = 1_024
/** The type is not known before the provider fetches it: an address that does not show one counts as a document. */
const captioned = /\.(?:jpe?g|png|webp|gif|mp4|3gpp?)$/iu

export function toReplies(reply: OperatorReplied, scheme: Scheme): readonly OutboundMessage[] {
  const { body, mediaUrls, contentSid, contentVariables } = reply
  if (contentSid !== null) {
    return [{ author: 'operator', body: '', contentSid, ...(contentVariables !== undefined && { contentVariables }) }]
  }
  const texts = splitText(body).map((piece): OutboundMessage => ({ author: 'operator', body: piece }))
  const [first, ...more] = mediaUrls
  if (first === undefined) return texts
  if (scheme === 'sms') {
    const [head = { author: 'operator' as const, body: '' }, ...rest] = texts
    return [{ ...head, mediaUrls }, ...rest]
  }
  const caption = body.trim()
  const isCaption = caption.length <= captionCharactersMax && captioned.test(new URL(first).pathname)
  const attachments = more.map((url): OutboundMessage => ({ author: 'operator', body: '', mediaUrls: [url] }))
  const head: OutboundMessage = { author: 'operator', body: isCaption ? caption : '', mediaUrls: [first] }
  return isCaption ? [head, ...attachments] : [...texts, head, ...attachments]
}
