/**
 * Calls Duologue as Twilio does: a form, signed over the URL and every field.
 */
import { randomUUID } from 'node:crypto'
import twilio from 'twilio'

/** Twilio waits this long for an answer in all. */
const answerTimeoutMs = 15_000

export type Form = { readonly [field: string]: string }

/** The HTTP status of the answer, or 0 when none came. */
export type WebhookCaller = (url: string, form: Form) => Promise<number>

export function createWebhookCaller(authToken: string): WebhookCaller {
  return async (url, form) => {
    const signedUrl = url.split('#', 1)[0] ?? url
    try {
      const answer = await fetch(signedUrl, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
          'User-Agent': 'TwilioProxy/1.1',
          'I-Twilio-Idempotency-Token': randomUUID(),
          'X-Twilio-Signature': twilio.getExpectedTwilioSignature(authToken, signedUrl, form),
        },
        body: new URLSearchParams(form).toString(),
        signal: AbortSignal.timeout(answerTimeoutMs),
      })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
}
