import { expect, test } from 'vitest'

import type { Effect } from '../../src/actors/ports.ts'
import { Session } from '../../src/actors/session.ts'
import type { SessionOwner } from '../../src/actors/session.ts'
import { createSessionState } from '../../src/actors/session-state.ts'
import { hasRival } from '../../src/actors/wanted-effects.ts'

const channel = { tenantId: 't', channelId: 'c', businessAddress: 'whatsapp:+14155238886', settings: {} }
const send = {
  conversationId: 'c-1',
  kind: 'sendMessage',
  childId: null,
  speakerToken: 1,
  attempts: 1,
  nextAttemptAt: null,
  deadline: null,
  startedAt: 0,
  messageId: null,
  status: 'running',
} as const

function createSession(...effects: readonly Effect[]): Session {
  const session = new Session('key', {} as SessionOwner)
  session.committed = { ...createSessionState('s-1', channel, 'whatsapp:+15005550006'), effects }
  session.newest = session.committed
  return session
}

test('another send of the session with the same text may be the message that the provider lists', () => {
  const effect: Effect = { ...send, effectId: 'c-1:5:0', params: { body: 'one' }, status: 'uncertain' }
  const same: Effect = { ...send, effectId: 'c-1:4:0', params: { body: 'one' } }
  const other: Effect = { ...send, effectId: 'c-1:3:0', params: { body: 'two' } }
  expect(hasRival(createSession(same, effect), effect, () => false)).toBe(true)
  expect(hasRival(createSession(other, effect), effect, () => false)).toBe(false)
})

test('one that is sent again may have any text: only the store knows it', () => {
  const effect: Effect = { ...send, effectId: 'c-1:5:0', params: { body: 'one' }, status: 'uncertain' }
  const resend: Effect = { ...send, effectId: 'c-1:4:0:1', params: null, status: 'pending' }
  expect(hasRival(createSession(resend, effect), effect, ({ effectId }) => effectId === resend.effectId)).toBe(true)
  expect(hasRival(createSession(resend, effect), effect, () => false)).toBe(false)
})
