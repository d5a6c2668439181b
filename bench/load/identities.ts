/**
 * Who writes what in a load: the same names in the process that sends and in the one that checks the
 * database afterwards. A series is one character that keeps the warm-up apart from what is measured.
 */
import { toInboundForm } from '../../src/infra/phone/inbound-form.ts'

export type Series = '1' | '2'

export const business = 'whatsapp:+14155238886'
export const accountSid = `AC${'b'.repeat(32)}`
export const authToken = 'a-token-of-the-benchmark'

/** `whatsapp:+150<series><seven digits>`; it is the user's key too. */
export function toUser(series: Series, user: number): string {
  return `${toUserPrefix(series)}${String(user).padStart(7, '0')}`
}

export function toUserPrefix(series: Series): string {
  return `whatsapp:+150${series}`
}

export function toMessageSid(series: Series, index: number): string {
  return `SM${series.repeat(8)}${index.toString(16).padStart(24, '0')}`
}

/** The seventeen fields of a WhatsApp message, with about 300 bytes of content. Every body is another one. */
export function toForm(series: Series, user: number, index: number): { readonly [field: string]: string } {
  const body = `Is there anything new about number ${index.toString(36)}?`
  return toInboundForm(
    { from: toUser(series, user), to: business, body, profileName: 'Maria' },
    toMessageSid(series, index),
    accountSid,
  )
}
