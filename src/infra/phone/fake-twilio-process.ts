/**
 * The fake Twilio as a program of its own, for tests that kill Duologue: what it accepted is read
 * from its ledger file or its `/fake/messages`, not from the process that died.
 *
 * Settings are one JSON object in the first argument; its first line on stdout is `{"url":…}`.
 */
import { fstatSync } from 'node:fs'
import { createFakeTwilio, type FakeTwilioOptions } from './fake-twilio.ts'

const settings = JSON.parse(process.argv[2] ?? '{}') as Partial<Omit<FakeTwilioOptions, 'clock'>>
const { accountSid, authToken } = settings
if (accountSid === undefined || authToken === undefined)
  throw new Error('the fake Twilio needs accountSid and authToken')

const fake = await createFakeTwilio({
  ...settings,
  accountSid,
  authToken,
  ledgerFile: settings.ledgerFile ?? null,
  webhookBase: settings.webhookBase ?? null,
  clock: {
    now: Date.now,
    monotonic: () => performance.now(),
    schedule(delayMs, task) {
      const timeout = setTimeout(task, delayMs)
      return () => clearTimeout(timeout)
    },
  },
})
process.stdout.write(`${JSON.stringify({ url: fake.url })}\n`)

// Ends with the test that started it, even when that test was killed: then the pipe to it breaks.
const stdin = fstatSync(0)
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on('end', () => process.exit(0)).resume()
process.on('SIGTERM', () => void fake.close().then(() => process.exit(0)))
