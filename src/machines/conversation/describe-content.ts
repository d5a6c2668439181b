/**
 * A message in words, for an assistant that reads nothing else: `[location: -23.5, -46.6, the shop]`. What stands in
 * the brackets is what users and their files say, so it is data like everything that they write.
 */
import { contentOf } from '../content.ts'
import type { ContentPart, MessageContent, Transcripts } from '../content.ts'
import type { Media } from '../events.ts'

/** Of all that is told of one message beside its text. */
const notesCharactersMax = 2_048
const noteCharactersMax = 512

/** The text and every part of a message, each on a line of its own; '' when it holds nothing. */
export function describeMessage(message: MessageContent, transcripts: Transcripts | null = null): string {
  const heard = contentOf(message).flatMap((part) =>
    part.kind === 'audio' ? [describeVoice(transcripts?.[part.media] ?? null)] : [],
  )
  return [message.body.trim(), ...describeParts(message), ...heard].filter((line) => line !== '').join('\n')
}

/** The parts that are neither the message's text nor audio. */
export function describeParts(message: MessageContent): readonly string[] {
  const notes: string[] = []
  let characters = 0
  for (const part of contentOf(message)) {
    const words = toWords(part, message.media)
    if (words === null) continue
    const note = `[${words
      .replaceAll(/[\s[\]]+/gu, ' ')
      .trim()
      .slice(0, noteCharactersMax)
      .toWellFormed()}]`
    characters += note.length
    if (characters > notesCharactersMax) break
    notes.push(note)
  }
  return notes
}

/** `text`: what was said; null: nobody has heard it. */
export function describeVoice(text: string | null): string {
  return text === null ? '[voice message that could not be read]' : `[voice message, in writing:] ${text}`
}

function toWords(part: ContentPart, media: readonly Media[]): string | null {
  switch (part.kind) {
    case 'text':
    case 'audio':
      return null
    case 'image':
    case 'sticker':
    case 'video':
      return part.kind
    case 'document':
      return `document: ${part.fileName ?? media[part.media]?.contentType ?? 'of an unknown kind'}`
    case 'contact':
      return 'contact card'
    case 'location': {
      const { latitude, longitude, label, address } = part
      return `location: ${[latitude, longitude, label, address].filter((field) => field !== null).join(', ')}`
    }
    case 'button':
      return `button: ${part.text}${part.payload === null ? '' : ` (${part.payload})`}`
    case 'listReply':
      return `choice from a list: ${part.title ?? ''} (${part.id})`
    case 'form':
      return `form: ${part.data}`
    case 'referral':
      return `came by ${part.sourceType ?? 'an advertisement'}: ${[part.headline, part.text].filter((field) => field !== null).join('. ')}`
    case 'quote':
      return 'answers an earlier message'
    case 'forwarded':
      return 'forwarded'
    case 'unknown':
      return `message of the kind ${part.messageType}, which cannot be shown here`
  }
}
