/** Twilio: do the credentials open the account, do the numbers say what they are, can Twilio reach the public URL. */
import { isIP } from 'node:net'

import type { Config } from '../../config.ts'
import { processClock } from '../../infra/process/clock.ts'
import { openRestCall } from '../../infra/twilio/rest-client.ts'
import { createRestConnection } from '../../infra/twilio/rest-connection.ts'
import type { RestConnection } from '../../infra/twilio/rest-connection.ts'
import type { CommandCall } from '../command.ts'
import { toSentence } from '../sentence.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

type Twilio = NonNullable<Config['twilio']>

const answerMs = 5_000
const loopbackHosts = /^(?:localhost|.*\.localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/iu
const privateHosts = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cde])/iu

export async function checkProvider({ twilio, http }: Config, env: CommandCall['env']): Promise<readonly Finding[]> {
  if (twilio === null) return [ok('messages', 'the built-in phone, with a fake Twilio of its own')]
  const connection = createRestConnection({ clock: processClock, timeoutMs: answerMs })
  try {
    return [
      ...(await checkTokens(twilio, connection)),
      checkNumbers(twilio, env['TWILIO_NUMBERS'] ?? ''),
      // Behind another base URL stands a test or a proxy, which may reach what Twilio cannot.
      ...(twilio.apiUrl === null ? [checkPublicUrl(http.publicUrl)] : []),
    ]
  } finally {
    connection.close()
  }
}

/** The first token is the one that calls; the others only verify signatures while one replaces another. */
async function checkTokens(twilio: Twilio, connection: RestConnection): Promise<readonly Finding[]> {
  const [first = '', ...others] = twilio.authTokens
  const primary = await checkToken(twilio, first, connection)
  const refused = (
    await Promise.all(others.map(async (token) => (await checkToken(twilio, token, connection)).state === 'ok'))
  ).filter((isAccepted) => !isAccepted).length
  if (refused === 0) return [primary]
  const text = `${refused} of the further tokens of TWILIO_AUTH_TOKEN are not accepted (any more, or yet)`
  return [primary, warn('Twilio', text, 'leave them out when the change of tokens is over')]
}

async function checkToken(twilio: Twilio, authToken: string, connection: RestConnection): Promise<Finding> {
  const { accountSid, apiUrl } = twilio
  const call = openRestCall({ accountSid, authToken, apiUrl, connection }, Infinity)
  const where = `${apiUrl ?? 'Twilio'}, account ${accountSid.slice(0, 6)}…`
  try {
    const { status, type } = await call.client.api.v2010.accounts(accountSid).fetch()
    if (status === 'active')
      return ok('Twilio', `${where}: the credentials are accepted${type === 'Trial' ? ', a trial account' : ''}`)
    return bad('Twilio', `${where} is ${status}`, 'an account that is not active sends nothing')
  } catch (error) {
    const statusCode = call.lastAnswer()?.statusCode ?? null
    if (statusCode === null)
      return bad('Twilio', `${where} does not answer: ${toSentence(error)}`, 'is TWILIO_API_URL right?')
    if (statusCode === 401 || statusCode === 403) {
      const advice = 'take the account’s own auth token; an API key cannot verify signatures'
      return bad('Twilio', `${where} refuses TWILIO_AUTH_TOKEN (${statusCode})`, advice)
    }
    return bad('Twilio', `${where} answered ${statusCode}`, 'is TWILIO_ACCOUNT_SID the account of this token?')
  }
}

function checkNumbers({ numbers }: Twilio, written: string): Finding {
  const bare = written.split(',').filter((number) => number.trim().startsWith('+'))
  if (bare.length === 0) return ok('numbers', numbers.join(', '))
  const text = `${bare.map((number) => number.trim()).join(', ')} without a scheme counts as sms`
  return warn('numbers', text, 'write sms:+… or whatsapp:+… in TWILIO_NUMBERS')
}

export function checkPublicUrl(publicUrl: string | null): Finding {
  const advice = 'set DUOLOGUE_PUBLIC_URL to the https address that Twilio calls; signatures are checked against it'
  if (publicUrl === null) return bad('public URL', 'DUOLOGUE_PUBLIC_URL is not set', advice)
  const { protocol, hostname } = new URL(publicUrl)
  if (loopbackHosts.test(hostname) || isPrivate(hostname)) {
    return bad('public URL', `Twilio cannot reach ${publicUrl}`, advice)
  }
  if (protocol !== 'https:') return warn('public URL', `${publicUrl} is not encrypted`, advice)
  return ok('public URL', publicUrl)
}

function isPrivate(hostname: string): boolean {
  const isAddress = isIP(hostname.replaceAll(/[[\]]/gu, '')) > 0
  return isAddress && privateHosts.test(hostname)
}
