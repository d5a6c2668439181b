/**
 * What a file is: what it is said to be, held against its first bytes. Pictures, recordings and films have to begin
 * like one of their kind; a document is never shown in a page, so it may be anything that is on the list.
 */
import type { MediaFamily } from '../../actors/media-fetcher.ts'

export type MediaType = { readonly contentType: string; readonly family: MediaFamily }

type Signature =
  | 'jpeg'
  | 'png'
  | 'gif'
  | 'webp'
  | 'ogg'
  | 'mp3'
  | 'aac'
  | 'amr'
  | 'wav'
  | 'iso'
  | 'webm'
  | 'pdf'
  | 'zip'

type Accepted = { readonly family: MediaFamily; readonly signatures: readonly Signature[] | null }

const recordings: readonly Signature[] = ['ogg', 'mp3', 'aac', 'amr', 'wav', 'iso', 'webm']
const films: readonly Signature[] = ['iso', 'webm']
const zipped: Accepted = { family: 'document', signatures: ['zip'] }
const anything: Accepted = { family: 'document', signatures: null }

const accepted: { readonly [contentType: string]: Accepted } = {
  'image/jpeg': { family: 'image', signatures: ['jpeg'] },
  'image/jpg': { family: 'image', signatures: ['jpeg'] },
  'image/png': { family: 'image', signatures: ['png'] },
  'image/gif': { family: 'image', signatures: ['gif'] },
  'image/webp': { family: 'image', signatures: ['webp'] },
  ...Object.fromEntries(
    ['ogg', 'mpeg', 'mp3', 'mp4', 'x-m4a', 'aac', 'amr', 'wav', 'x-wav', 'webm', '3gpp', '3gpp2', 'opus'].map(
      (name) => [`audio/${name}`, { family: 'audio', signatures: recordings } as const],
    ),
  ),
  ...Object.fromEntries(
    ['mp4', '3gpp', '3gpp2', 'webm', 'quicktime'].map((name) => [
      `video/${name}`,
      { family: 'video', signatures: films } as const,
    ]),
  ),
  'application/pdf': { family: 'document', signatures: ['pdf'] },
  'application/zip': zipped,
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': zipped,
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': zipped,
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': zipped,
  'application/msword': anything,
  'application/vnd.ms-excel': anything,
  'application/vnd.ms-powerpoint': anything,
  'application/rtf': anything,
  'application/octet-stream': anything,
  'text/plain': anything,
  'text/csv': anything,
  'text/vcard': anything,
  'text/x-vcard': anything,
  'text/directory': anything,
  'text/calendar': anything,
}

/** The type that a file is taken for; null when it is not on the list or begins like something else. */
export function readMediaType(declared: string | undefined, bytes: Uint8Array): MediaType | null {
  const contentType = (declared ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
  const known = Object.hasOwn(accepted, contentType) ? accepted[contentType] : undefined
  if (known === undefined) return null
  const { family, signatures } = known
  if (signatures === null) return { contentType, family }
  const found = findSignature(bytes)
  return found !== null && signatures.includes(found) ? { contentType, family } : null
}

/** Whether a file of this declared type is worth being read at all. */
export function isAcceptedType(declared: string | undefined): boolean {
  return Object.hasOwn(accepted, (declared ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '')
}

function findSignature(bytes: Uint8Array): Signature | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString('latin1')
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('GIF87a') || head.startsWith('GIF89a')) return 'gif'
  if (head.startsWith('RIFF')) return toRiff(head.slice(8, 12))
  if (head.startsWith('OggS')) return 'ogg'
  if (head.startsWith('#!AMR')) return 'amr'
  if (head.slice(4, 8) === 'ftyp') return 'iso'
  if (head.startsWith('\x1a\x45\xdf\xa3')) return 'webm'
  if (head.startsWith('%PDF-')) return 'pdf'
  if (head.startsWith('PK\x03\x04')) return 'zip'
  if (head.startsWith('ID3')) return 'mp3'
  // A frame of MPEG audio begins with eleven ones; the layer bits are zero in AAC alone.
  const [first = 0, second = 0] = bytes
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return null
  return (second & 0x06) === 0 ? 'aac' : 'mp3'
}

function toRiff(form: string): Signature | null {
  if (form === 'WEBP') return 'webp'
  return form === 'WAVE' ? 'wav' : null
}
