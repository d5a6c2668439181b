/** What the caller of a command reads when the chart did not take it. */
import { describe, expect, test } from 'vitest'

import type { ConversationContext } from '../../src/machines/conversation/context.ts'
import { toRefusal } from '../../src/machines/conversation/refusal.ts'
import { statuses } from '../../src/machines/status.ts'

const context = { operatorId: null, line: 'agent' } as ConversationContext
const assigned: ConversationContext = { ...context, operatorId: 'ana' }
const byBia = { operatorId: 'bia', reason: '', body: '', mediaUrls: [], contentSid: null, as: 'agent' } as const
const ofTheAssigned = ['operator.replied', 'operator.released', 'operator.extended', 'operator.closed'] as const

describe('a command is refused', () => {
  test.each(statuses)('in %s by its status, unless a person is asked for', (status) => {
    const closed = ['AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'EXPIRED', 'FAILED']
    const usual = closed.includes(status)
      ? `the conversation is closed: ${status}`
      : `the conversation is in ${status}: no person is asked for, nobody is assigned`
    const sentence = toRefusal(status, context, { type: 'operator.extended', operatorId: 'bia' })
    expect(sentence).toBe(status === 'HUMAN_HANDOFF' ? 'nobody is assigned: assign an operator first' : usual)
  })

  test.each(ofTheAssigned)('because %s is for the assigned operator', (type) => {
    const command = { ...byBia, type } as never
    expect(toRefusal('HUMAN_HANDOFF', context, command)).toBe('nobody is assigned: assign an operator first')
    expect(toRefusal('HUMAN_HANDOFF', assigned, command)).toBe('ana is assigned, not bia')
  })

  test('because a person is asked for, or there, already', () => {
    const command = { ...byBia, type: 'handoff.requested' } as const
    expect(toRefusal('HUMAN_HANDOFF', context, command)).toBe('a person is asked for already')
    expect(toRefusal('HUMAN_HANDOFF', assigned, command)).toBe('ana is assigned already')
  })

  test('because somebody has it already', () => {
    const command = { type: 'operator.assigned', operatorId: 'bia' } as const
    expect(toRefusal('HUMAN_HANDOFF', assigned, command)).toBe('ana is assigned already: let it be transferred')
  })

  test('because it is with the second line already, or is another’s to escalate', () => {
    const command = { type: 'operator.escalated', operatorId: 'bia', reason: '' } as const
    const second = { ...assigned, line: 'support' } as const
    expect(toRefusal('HUMAN_HANDOFF', second, command)).toBe('it is with the second line already')
    expect(toRefusal('HUMAN_HANDOFF', assigned, command)).toBe('ana is assigned, not bia')
  })

  test('because it would be handed to who has it, or by who has it not', () => {
    const command = { type: 'operator.transferred', operatorId: 'bia', to: 'carl' } as const
    expect(toRefusal('HUMAN_HANDOFF', assigned, { ...command, to: 'ana' })).toBe('ana is assigned already')
    expect(toRefusal('HUMAN_HANDOFF', assigned, command)).toBe('ana is assigned, not bia')
    expect(toRefusal('HUMAN_HANDOFF', context, command)).toBe('nobody is assigned: assign an operator first')
  })
})
