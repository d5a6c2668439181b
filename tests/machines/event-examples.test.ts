/** The examples that people try the chart out with are events that the chart and the doors take. */
import { getStateNodes } from 'xstate/graph'
import { describe, expect, test } from 'vitest'

import { toDraft } from '../../src/machines/conversation/draft.ts'
import { toEventExample } from '../../src/machines/conversation/event-examples.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { readOperatorEvent } from '../../src/machines/conversation/operator-events.ts'
import { toTranscripts } from '../../src/machines/conversation/transcription.ts'
import { deliveryStatuses } from '../../src/machines/events.ts'
import { at, voiceNote } from './pure-conversation.ts'

const operatorTypes = ['assigned', 'replied', 'released', 'transferred', 'escalated', 'extended', 'closed'].map(
  (what) => `operator.${what}`,
)

describe('an example', () => {
  test.each(operatorTypes)('of %s is a command that is read', (type) => {
    const example = toEventExample(type)
    expect(readOperatorEvent({ ...example, type })).toMatchObject({ type, operatorId: 'ana' })
  })

  test('of an operator’s closing and escalation has a reason, and of its reply a text', () => {
    expect(readOperatorEvent({ ...toEventExample('operator.closed'), type: 'operator.closed' })).toMatchObject({
      as: 'agent',
      reason: 'the reviewer tries it',
    })
    expect(readOperatorEvent({ ...toEventExample('operator.replied'), type: 'operator.replied' })).toMatchObject({
      body: 'I am Ana, how can I help?',
    })
  })

  test('of a message is collected, and the example of an answer answers it', () => {
    const conversation = at('PROGRESS.waiting')
    conversation.send({
      ...toEventExample('message.received'),
      type: 'message.received',
      at: conversation.now,
    } as never)
    expect(conversation.state).toBe('PROGRESS.collecting')
    expect(conversation.context.turn.messages).toMatchObject([
      { messageId: 'm1', body: 'Where is my order?', media: [] },
    ])
    conversation.advance(1_500)
    const type = 'xstate.done.actor.draftReply'
    conversation.send({ ...toEventExample(type), type })
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.sent.at(-1)?.body).toBe('It arrives tomorrow.')
  })

  test('of a transcription is of the example of a message', () => {
    const conversation = at('PROGRESS.waiting')
    const message = { ...toEventExample('message.received'), body: '', media: [voiceNote] }
    conversation.send({ ...message, type: 'message.received', at: conversation.now } as never)
    conversation.advance(1_500)
    expect(conversation.state).toBe('PROGRESS.transcribing')
    const type = 'xstate.done.actor.transcribe'
    expect(toTranscripts(toEventExample(type)['output'])).toEqual([{ messageId: 'm1', media: 0, text: 'Where is it?' }])
    conversation.send({ ...toEventExample(type), type })
    expect(conversation.state).toBe('PROGRESS.answering')
  })

  test('of a delivery changes nothing, as one that arrived', () => {
    const example = toEventExample('delivery.updated')
    expect(example).toEqual({ effectId: 'e1', status: 'delivered', errorCode: null })
    expect(deliveryStatuses).toContain(example['status'])
  })

  test('of a result or a failure names the actor that it is of', () => {
    expect(toDraft(toEventExample('xstate.done.actor.draftReply')['output'])).toMatchObject({ intent: 'continue' })
    expect(toEventExample('xstate.done.actor.draftReply')).toMatchObject({ actorId: 'draftReply' })
    expect(toEventExample('xstate.done.actor.transcribe')).toMatchObject({ actorId: 'transcribe' })
    for (const actorId of ['draftReply', 'transcribe']) {
      expect(toEventExample(`xstate.error.actor.${actorId}`)).toEqual({ error: { message: 'no answer' }, actorId })
    }
  })

  test('of an event that nobody writes is empty', () => {
    for (const event of ['handoff.requested', 'xstate.after.quiet.conversation.PENDING', 'xstate.init', '']) {
      expect(toEventExample(event)).toEqual({})
    }
  })
})

test('every event of the chart that has fields has an example', () => {
  const events = [conversationMachine.root, ...getStateNodes(conversationMachine)].flatMap(({ transitions }) => [
    ...transitions.keys(),
  ])
  const without = [...new Set(events)].filter((event) => Object.keys(toEventExample(event)).length === 0)
  expect(without.filter((event) => !event.startsWith('xstate.after.'))).toEqual(['handoff.requested'])
})
