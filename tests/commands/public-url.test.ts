import { expect, test } from 'vitest'

import { checkPublicUrl } from '../../src/commands/doctor/check-provider.ts'

test.each([
  'http://127.0.0.1:3000',
  'https://localhost',
  'https://[::1]:8443',
  'https://10.1.2.3',
  'https://192.168.0.7/duologue',
  'https://172.16.0.1',
  'https://[fd00::1]',
  'https://0.0.0.0',
])('the real Twilio cannot reach %s', (url) => {
  expect(checkPublicUrl(url)).toMatchObject({ state: 'bad', text: `Twilio cannot reach ${url}` })
})

test('without encryption the real Twilio is warned of', () => {
  expect(checkPublicUrl('http://chat.example.com')).toMatchObject({ state: 'warn' })
})

test.each(['https://chat.example.com', 'https://10.example.com', 'https://172.32.0.1', 'https://8.8.8.8'])(
  '%s is fine',
  (url) => {
    expect(checkPublicUrl(url)).toMatchObject({ state: 'ok' })
  },
)

test('an unset public URL is bad', () => {
  expect(checkPublicUrl(null)).toMatchObject({ state: 'bad' })
})
