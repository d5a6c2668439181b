/**
 * One plain example of every event of the conversation chart, for people who try the chart out: the fields
 * that they do not write themselves. Fields of other events do no harm; guards and actions pick theirs.
 */
import type { JsonObject } from '../json.ts'

const message: JsonObject = { messageId: 'm1', body: 'Where is my order?', media: [] }
const delivery: JsonObject = { effectId: 'e1', status: 'delivered', errorCode: null }
const draft: JsonObject = { output: { reply: 'It arrives tomorrow.', intent: 'continue', confidence: 0.9 } }
const transcription: JsonObject = { output: { transcripts: [{ messageId: 'm1', media: 0, text: 'Where is it?' }] } }
const failure: JsonObject = { error: { message: 'no answer' } }
const operator: JsonObject = {
  operatorId: 'ana',
  to: 'bruno',
  as: 'agent',
  body: 'I am Ana, how can I help?',
  reason: 'the reviewer tries it',
}

export function toEventExample(event: string): JsonObject {
  if (event === 'message.received') return message
  if (event === 'delivery.updated') return delivery
  if (event === 'xstate.done.actor.transcribe') return { ...transcription, actorId: 'transcribe' }
  if (event.startsWith('xstate.done.actor.')) return { ...draft, actorId: event.slice('xstate.done.actor.'.length) }
  if (event.startsWith('xstate.error.actor.')) return { ...failure, actorId: event.slice('xstate.error.actor.'.length) }
  return event.startsWith('operator.') ? operator : {}
}
