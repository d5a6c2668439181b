import assert from 'node:assert/strict'
import type { Json } from '../../machines/json.ts'

/** What a `sendMessage` effect asks for. */
export type SendParams = {
  readonly body?: string
  readonly contentSid?: string
  readonly contentVariables?: string
  readonly mediaUrls?: readonly string[]
}

/** A send without anything to send is our own mistake. */
export function toSendParams(params: Json): SendParams {
  assert(typeof params === 'object' && params !== null && !Array.isArray(params), 'a send has no params')
  const { body, contentSid, contentVariables, mediaUrls } = params as SendParams
  const hasContent =
    [body, contentSid].some((part) => typeof part === 'string' && part !== '') || (mediaUrls?.length ?? 0) > 0
  assert(hasContent, 'a send has no body, no media and no template')
  return {
    ...(body === undefined || body === '' ? {} : { body }),
    ...(contentSid === undefined ? {} : { contentSid }),
    ...(contentVariables === undefined ? {} : { contentVariables }),
    ...(mediaUrls === undefined ? {} : { mediaUrls }),
  }
}
