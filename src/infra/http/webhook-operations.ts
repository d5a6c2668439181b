/** How the OpenAPI document describes the provider's webhooks: the fields that Duologue reads; there are more. */
import type { JsonSchema, Operation } from './openapi.ts'

const sid: JsonSchema = { type: 'string', pattern: '^(SM|MM)[0-9a-fA-F]{32}$' }
const text: JsonSchema = { type: 'string' }
const answer = { status: 200, contentType: 'text/xml', schema: text } as const
const problems = [400, 403, 404, 408, 413, 415, 503] as const

export const messageOperation: Operation = {
  summary: 'A user wrote. Signed by Twilio; 200 when it is durable, in the log or in the spool',
  access: 'public',
  requestBody: {
    contentType: 'application/x-www-form-urlencoded',
    schema: {
      type: 'object',
      required: ['AccountSid', 'MessageSid', 'From', 'To'],
      properties: {
        AccountSid: text,
        MessageSid: sid,
        From: text,
        To: text,
        Body: text,
        NumMedia: text,
        ProfileName: text,
      },
    },
  },
  answer,
  problems,
}

export const deliveryOperation: Operation = {
  summary: 'What became of a message that Duologue sent. Signed by Twilio',
  access: 'public',
  parameters: [
    { in: 'query', name: 'session', schema: text },
    { in: 'query', name: 'effect', schema: text },
  ],
  requestBody: {
    contentType: 'application/x-www-form-urlencoded',
    schema: {
      type: 'object',
      required: ['AccountSid', 'MessageSid', 'MessageStatus', 'From', 'To'],
      properties: { AccountSid: text, MessageSid: sid, MessageStatus: text, From: text, To: text, ErrorCode: text },
    },
  },
  answer,
  problems,
}
