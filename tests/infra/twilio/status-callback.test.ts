import { expect, test } from 'vitest'
import type { EffectRequest } from '../../../src/actors/ports.ts'
import { toStatusCallback } from '../../../src/infra/twilio/status-callback.ts'

const request = { session: { sessionId: 's-1' }, effect: { effectId: 'c-1:3:0' } } as EffectRequest
const query = 'session=s-1&effect=c-1%3A3%3A0'

test.each([
  ['https://chat.example.com', `https://chat.example.com/webhooks/twilio/status?${query}`],
  ['https://chat.example.com/', `https://chat.example.com/webhooks/twilio/status?${query}`],
  ['https://chat.example.com/base/', `https://chat.example.com/base/webhooks/twilio/status?${query}`],
  ['https://chat.example.com#rc=2&rp=all', `https://chat.example.com/webhooks/twilio/status?${query}`],
])('under %s Twilio calls %s', (publicUrl, url) => {
  expect(toStatusCallback(request, publicUrl, null)).toBe(url)
})

test.each(['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000'])(
  'Twilio itself is not asked to call %s, which it would refuse together with the message',
  (publicUrl) => {
    expect(toStatusCallback(request, publicUrl, null)).toBeNull()
    expect(toStatusCallback(request, publicUrl, 'http://127.0.0.1:4000')).toContain(publicUrl)
  },
)
