/**
 * What a message holds beside plain text, part by part. A message that is nothing but its own words carries no list
 * at all; `contentOf` gives one to every message, also to those that were stored before there were parts.
 *
 * 1. `body` holds what the user wrote, never a file name: what is read for closing words is the user's own.
 * 2. A part with `media` is the attachment at that place of the message's media; nothing is fetched here.
 * 3. Every text in a part is bounded (`partCharactersMax`), and so is the list.
 */
import type { Media } from './events.ts'

export type ContentPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'image' | 'sticker' | 'video' | 'audio'; readonly media: number }
  | { readonly kind: 'document'; readonly media: number; readonly fileName: string | null }
  /** A contact's card (vCard). */
  | { readonly kind: 'contact'; readonly media: number }
  | {
      readonly kind: 'location'
      readonly latitude: number
      readonly longitude: number
      readonly label: string | null
      readonly address: string | null
    }
  /** A button of a message of ours was pressed; `payload` is what we had put behind it. */
  | { readonly kind: 'button'; readonly text: string; readonly payload: string | null }
  | { readonly kind: 'listReply'; readonly id: string; readonly title: string | null }
  /** What was filled in or chosen in a form (a WhatsApp flow), as JSON text that nobody has checked. */
  | { readonly kind: 'form'; readonly data: string }
  /** The advertisement or post that the user came by. */
  | {
      readonly kind: 'referral'
      readonly sourceType: string | null
      readonly sourceId: string | null
      readonly sourceUrl: string | null
      readonly headline: string | null
      readonly text: string | null
      readonly clickId: string | null
    }
  /** The message answers an earlier one, by the provider's id of that. */
  | { readonly kind: 'quote'; readonly providerId: string }
  | { readonly kind: 'forwarded'; readonly isFrequent: boolean }
  /** A kind that we do not know; the provider's form is kept with the message. */
  | { readonly kind: 'unknown'; readonly messageType: string }

export const partCharactersMax = 4_096
export const partsMax = 24

/** What was said in a message's audio, by its place among the media. */
export type Transcripts = { readonly [media: string]: string }

export type MessageContent = {
  readonly body: string
  readonly media: readonly Media[]
  readonly content?: readonly ContentPart[] | null | undefined
}

/** The parts of any message. */
export function contentOf({ body, media, content }: MessageContent): readonly ContentPart[] {
  if (content !== undefined && content !== null) return content
  const text: readonly ContentPart[] = body === '' ? [] : [{ kind: 'text', text: body }]
  return [...text, ...media.map((attached, index) => toMediaPart(attached, index))]
}

/** The part of an attachment, by the type that the provider told. */
export function toMediaPart({ contentType }: Media, media: number, fileName: string | null = null): ContentPart {
  const type = contentType.toLowerCase()
  if (/^text\/(?:x-)?(?:vcard|directory)\b/u.test(type)) return { kind: 'contact', media }
  const family = type.split('/', 1)[0]
  if (family === 'image' || family === 'video' || family === 'audio') return { kind: family, media }
  return { kind: 'document', media, fileName }
}
