/**
 * What a message of Twilio's holds, part by part (fact: a document's `Body` is its file name, a location has no body,
 * a button's and a list's reply repeat their text in it). A field that is malformed makes no part; the form is kept
 * with the message, so nothing is lost by not being understood.
 */
import { partCharactersMax, partsMax, toMediaPart } from '../../machines/content.ts'
import type { ContentPart } from '../../machines/content.ts'
import type { Media } from '../../machines/events.ts'
import { readField, toStorableText, type TwilioForm } from './form.ts'

const shortCharactersMax = 512
const urlCharactersMax = 2_048
const knownTypes: ReadonlySet<string> = new Set([
  'text',
  'image',
  'sticker',
  'video',
  'audio',
  'document',
  'location',
  'contacts',
  'interactive',
  'button',
])

export type InboundContent = {
  /** The user's own words. */
  readonly body: string
  /** Null when it is nothing but these. */
  readonly content: readonly ContentPart[] | null
}

export function readContent(form: TwilioForm, media: readonly Media[]): InboundContent {
  const text = toStorableText(readField(form, 'Body') ?? '')
  const type = readField(form, 'MessageType')?.toLowerCase() ?? null
  const isFileName = isDocument(form, type, media)
  const body = isFileName ? '' : text
  const parts: ContentPart[] = body === '' ? [] : [{ kind: 'text', text: body }]
  for (const [index, attached] of media.entries()) {
    const fileName = isFileName && index === 0 && text !== '' ? shorten(text, shortCharactersMax) : null
    parts.push(type === 'sticker' ? { kind: 'sticker', media: index } : toMediaPart(attached, index, fileName))
  }
  const location = readLocation(form)
  if (location !== null) parts.push(location)
  parts.push(...readReplies(form), ...readOrigin(form))
  const isUnderstood = type === null || (knownTypes.has(type) && (type !== 'location' || location !== null))
  if (!isUnderstood) parts.push({ kind: 'unknown', messageType: shorten(toStorableText(type), 64) })
  const isText = parts.every(({ kind }) => kind === 'text')
  return { body, content: isText ? null : parts.slice(0, partsMax) }
}

/** Twilio's own list of messages names no type; there a WhatsApp message with a file is known by the file alone. */
function isDocument(form: TwilioForm, type: string | null, media: readonly Media[]): boolean {
  const [first] = media
  if (type !== null || first === undefined) return type === 'document'
  const isWhatsApp = readField(form, 'From')?.startsWith('whatsapp:') === true
  return isWhatsApp && toMediaPart(first, 0).kind === 'document'
}

function readLocation(form: TwilioForm): ContentPart | null {
  const latitude = toDegrees(readField(form, 'Latitude'), 90)
  const longitude = toDegrees(readField(form, 'Longitude'), 180)
  if (latitude === null || longitude === null) return null
  return { kind: 'location', latitude, longitude, label: readShort(form, 'Label'), address: readShort(form, 'Address') }
}

function toDegrees(text: string | null, max: number): number | null {
  if (text === null || !/^[+-]?\d{1,3}(?:\.\d{1,20})?$/u.test(text.trim())) return null
  const degrees = Number(text)
  return Math.abs(degrees) <= max ? degrees : null
}

/** Choices among what a message of ours offered. */
function readReplies(form: TwilioForm): readonly ContentPart[] {
  const parts: ContentPart[] = []
  const text = readShort(form, 'ButtonText')
  const payload = readShort(form, 'ButtonPayload')
  if (text !== null || payload !== null) parts.push({ kind: 'button', text: text ?? '', payload })
  const id = readShort(form, 'ListId')
  const title = readShort(form, 'ListTitle')
  if (id !== null || title !== null) parts.push({ kind: 'listReply', id: id ?? '', title })
  const data = readText(form, 'FlowData', partCharactersMax) ?? readText(form, 'InteractiveData', partCharactersMax)
  if (data !== null) parts.push({ kind: 'form', data })
  return parts
}

/** Where the message comes from: an advertisement, a message that it answers, somebody else's message. */
function readOrigin(form: TwilioForm): readonly ContentPart[] {
  const parts: ContentPart[] = []
  const referral = {
    sourceType: readShort(form, 'ReferralSourceType'),
    sourceId: readShort(form, 'ReferralSourceId'),
    sourceUrl: readText(form, 'ReferralSourceUrl', urlCharactersMax),
    headline: readShort(form, 'ReferralHeadline'),
    text: readText(form, 'ReferralBody', partCharactersMax),
    clickId: readShort(form, 'ReferralCtwaClid'),
  }
  if (Object.values(referral).some((field) => field !== null)) parts.push({ kind: 'referral', ...referral })
  const quoted = readText(form, 'OriginalRepliedMessageSid', 128)
  if (quoted !== null) parts.push({ kind: 'quote', providerId: quoted })
  const isFrequent = readField(form, 'FrequentlyForwarded') === 'true'
  if (isFrequent || readField(form, 'Forwarded') === 'true') parts.push({ kind: 'forwarded', isFrequent })
  return parts
}

function readShort(form: TwilioForm, field: string): string | null {
  return readText(form, field, shortCharactersMax)
}

function readText(form: TwilioForm, field: string, charactersMax: number): string | null {
  const value = readField(form, field)
  return value === null || value === '' ? null : shorten(toStorableText(value), charactersMax)
}

function shorten(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : toStorableText(text.slice(0, charactersMax))
}
