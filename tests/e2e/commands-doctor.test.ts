/** The doctor over services of somebody's own: NATS by URL, PostgreSQL behind an HTTP API, Twilio at another address. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { runCommand, runDoctor } from '../support/command.ts'
import { startFakeAi } from '../support/fake-ai.ts'
import type { Behaviour } from '../support/fake-ai.ts'
import { startFakeTranscriber } from '../support/fake-transcriber.ts'
import { serveLite } from '../support/database.ts'
import type { LiteServer } from '../support/database.ts'
import { findFreePort } from '../support/postgres.ts'
import { startTestNats } from '../support/nats.ts'
import type { TestNats } from '../support/nats.ts'
import { execute, startPostgres } from '../support/postgres.ts'
import type { TestPostgres } from '../support/postgres.ts'

const accountSid = `AC${'7'.repeat(32)}`
const authToken = 'the-right-token-of-the-account'

let nats: TestNats
let postgres: TestPostgres
let databaseUrl: string
let lite: LiteServer
let twilio: Awaited<ReturnType<typeof startAccounts>>
let env: { readonly [name: string]: string }

beforeAll(async () => {
  ;[nats, postgres, twilio] = await Promise.all([startTestNats(), startPostgres(), startAccounts()])
  databaseUrl = await postgres.createDatabase()
  lite = await serveLite(databaseUrl)
  env = {
    DUOLOGUE_PORT: '0',
    DUOLOGUE_API_TOKEN: 'a-token-that-nobody-guesses',
    DUOLOGUE_PUBLIC_URL: 'https://chat.example.com',
    NATS_URL: nats.url.replace('://', `://${nats.user}:${nats.pass}@`),
    SUPABASE_URL: lite.url,
    SUPABASE_SECRET_KEY: lite.secretKey,
    DATABASE_URL: databaseUrl,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TWILIO_NUMBERS: 'whatsapp:+14155238886',
    TWILIO_API_URL: twilio.url,
  }
})

afterAll(async () => {
  await lite?.stop()
  await Promise.all([nats?.stop(), postgres?.stop(), twilio?.stop()])
})

test('with everything right no line is bad, and no secret is printed', async () => {
  const { exitCode, report, stdout, of } = await runDoctor(env)
  expect(report.items.filter(({ state }) => state !== 'ok')).toEqual([])
  expect(of('data folder')).toEqual(['ok: not needed: nothing is embedded'])
  expect(of('JetStream')).toEqual(['ok: enabled; the first start makes the stream DUOLOGUE'])
  expect(of('partitions')).toEqual(['ok: none yet; the first start makes 64'])
  expect(of('Twilio')).toEqual([`ok: ${twilio.url}, account AC7777…: the credentials are accepted`])
  for (const secret of [nats.pass, lite.secretKey, authToken, 'a-token-that-nobody-guesses']) {
    expect(stdout).not.toContain(secret)
  }
  expect(exitCode).toBe(0)
})

describe('the log', () => {
  test('that is not there is bad, without its password', async () => {
    const port = await findFreePort()
    const { exitCode, of, stdout } = await runDoctor({ ...env, NATS_URL: `nats://me:hidden@127.0.0.1:${port}` })
    expect(of('NATS')[0]).toContain(`bad: could not connect to NATS at nats://127.0.0.1:${port}`)
    expect(stdout).not.toContain('hidden')
    expect(exitCode).toBe(1)
  })

  test('that refuses the password is bad', async () => {
    const { exitCode, of } = await runDoctor({ ...env, NATS_URL: nats.url.replace('://', '://me:hidden@') })
    expect(of('NATS')[0]).toMatch(/^bad: could not connect to NATS .*authorization violation/i)
    expect(exitCode).toBe(1)
  })

  test('whose stream was changed by hand is bad, with what was changed', async () => {
    const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.pass })
    const manager = await jetstreamManager(connection)
    await manager.streams.add({
      name: 'DUOLOGUE',
      subjects: ['duologue.in.*.*.*'],
      discard: DiscardPolicy.Old,
      max_age: 1_000_000_000,
    })
    const { exitCode, of } = await runDoctor(env)
    await manager.streams.delete('DUOLOGUE')
    await connection.close()
    expect(of('stream')[0]).toContain('its subject transform is not that of 64 partitions (DUOLOGUE_PARTITIONS)')
    expect(of('stream')[0]).toContain('it discards old messages when it is full; it forgets messages after a time')
    expect(of('stream')[0]).toContain('messages in it may be deleted')
    expect(exitCode).toBe(1)
  })
})

describe('the database', () => {
  afterEach(async () => {
    await execute(databaseUrl, 'revoke execute on function public.commit_steps(jsonb) from anon')
  })

  test('that does not answer is bad', async () => {
    const port = await findFreePort()
    const { exitCode, of } = await runDoctor({ ...env, SUPABASE_URL: `http://127.0.0.1:${port}` })
    expect(of('database')).toEqual([`bad: http://127.0.0.1:${port} does not answer`])
    expect(exitCode).toBe(1)
  })

  test('refuses a wrong key, and the publishable one', async () => {
    for (const key of ['sb_secret_wrong', lite.publishableKey]) {
      const { exitCode, of } = await runDoctor({ ...env, SUPABASE_SECRET_KEY: key })
      expect(of('database')).toEqual([`bad: ${lite.url} refuses SUPABASE_SECRET_KEY (401)`])
      expect(exitCode).toBe(1)
    }
  })

  test('without the schema is bad until it is migrated', async () => {
    await execute(postgres.url, 'create database bare')
    const bareUrl = postgres.url.replace(/postgres$/u, 'bare')
    const bare = await serveLite(bareUrl)
    const bareEnv = { ...env, SUPABASE_URL: bare.url, SUPABASE_SECRET_KEY: bare.secretKey, DATABASE_URL: bareUrl }
    const before = await runDoctor(bareEnv)
    expect(before.of('database')).toEqual([`bad: ${bare.url} has no schema of Duologue`])
    expect(before.of('functions')[0]).toMatch(/^bad: \d+ of \d+ SQL functions are missing: /)
    expect(before.exitCode).toBe(1)
    const migrated = await runCommand(['migrate', '--json'], bareEnv)
    expect(JSON.parse(migrated.stdout)).toMatchObject({
      applied: expect.arrayContaining(['20261122000100']) as unknown,
    })
    expect((await runCommand(['migrate'], bareEnv)).stdout).toBe('nothing to do: the schema is the newest\n')
    await bare.stop()
    // PostgREST and Supabase Lite read the schema when they start.
    const again = await serveLite(bareUrl)
    const after = await runDoctor({ ...bareEnv, SUPABASE_URL: again.url, SUPABASE_SECRET_KEY: again.secretKey })
    await again.stop()
    expect(after.exitCode).toBe(0)
  })

  test('in which anon may commit is bad', async () => {
    await execute(databaseUrl, 'grant execute on function public.commit_steps(jsonb) to anon')
    const { exitCode, of } = await runDoctor(env)
    expect(of('functions')).toEqual(['bad: anon or authenticated may call commit_steps'])
    expect(exitCode).toBe(1)
  })

  test('without a direct connection keeps its grants to itself, which is said', async () => {
    const { exitCode, of } = await runDoctor({ ...env, DATABASE_URL: '' })
    expect(of('functions')).toEqual(['warn: whether anon may call the functions was not checked'])
    expect(exitCode).toBe(0)
  })

  test('that is known by its API alone is not migrated, and how to is said', async () => {
    const { exitCode, stdout } = await runCommand(['migrate'], { ...env, DATABASE_URL: '' })
    expect(stdout).toContain('supabase db push')
    expect(exitCode).toBe(2)
  })
})

describe('Twilio', () => {
  test('that refuses the token is bad, and the token is not printed', async () => {
    const { exitCode, of, stdout } = await runDoctor({ ...env, TWILIO_AUTH_TOKEN: 'a-wrong-token' })
    expect(of('Twilio')).toEqual([`bad: ${twilio.url}, account AC7777… refuses TWILIO_AUTH_TOKEN (401)`])
    expect(stdout).not.toContain('a-wrong-token')
    expect(exitCode).toBe(1)
  })

  test('may refuse the second token while tokens are changed', async () => {
    const { exitCode, of } = await runDoctor({ ...env, TWILIO_AUTH_TOKEN: `${authToken},the-old-one` })
    expect(of('Twilio').map((line) => line.slice(0, 4))).toEqual(['ok: ', 'warn'])
    expect(exitCode).toBe(0)
  })

  test('that is not there is bad', async () => {
    const { exitCode, of } = await runDoctor({ ...env, TWILIO_API_URL: `http://127.0.0.1:${await findFreePort()}` })
    expect(of('Twilio')[0]).toMatch(/^bad: http:.* does not answer: .*ECONNREFUSED/)
    expect(exitCode).toBe(1)
  })

  test('numbers without a scheme are named', async () => {
    const { of } = await runDoctor({ ...env, TWILIO_NUMBERS: 'whatsapp:+14155238886,+14155238886' })
    expect(of('numbers')).toEqual(['warn: +14155238886 without a scheme counts as sms'])
  })
})

test('a wrong setting is the only line, and the exit code is 2', async () => {
  const { exitCode, report } = await runDoctor({ ...env, DUOLOGUE_LEASE_MS: 'soon' })
  expect(report.items).toMatchObject([{ check: 'settings', state: 'bad' }])
  expect(exitCode).toBe(2)
})

/** The one resource of Twilio's REST API that the doctor asks for. */
async function startAccounts(): Promise<{ url: string; stop(): Promise<void> }> {
  const expected = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const server = createServer((request, response) => {
    const isKnown = request.headers.authorization === expected
    const isFound = request.url === `/2010-04-01/Accounts/${accountSid}.json`
    const statusCode = isKnown ? (isFound ? 200 : 404) : 401
    const body =
      isKnown && isFound ? { sid: accountSid, status: 'active', type: 'Full' } : { status: statusCode, code: 20003 }
    response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('what reads voice messages', () => {
  test('is asked to read a recording, and what it cannot do is said', async () => {
    const ears = await startFakeTranscriber()
    try {
      const check = async (more: { readonly [name: string]: string } = {}) =>
        (await runDoctor({ ...env, ...ears.env, ...more })).of('voice messages')[0]
      expect(await check()).toMatch(/^ok: fake-ears at .* reads them$/u)
      expect(ears.requests[0]).toMatchObject({ name: 'voice.wav', type: 'audio/wav' })
      expect(await check({ TRANSCRIBE_API_KEY: 'wrong' })).toMatch(/^bad: .*answered 401$/u)
      expect(await check({ TRANSCRIBE_MODEL: 'other' })).toMatch(/^bad: other at .*answered 404$/u)
      ears.answer({ kind: 'status', status: 500 })
      expect(await check()).toMatch(/^warn: .*answered 500$/u)
    } finally {
      await ears.close()
    }
    expect((await runDoctor(env)).of('voice messages')[0]).toMatch(/^ok: nobody reads them/u)
  })
})

describe('the assistant', () => {
  const good: Behaviour = { kind: 'draft' }

  test.each([
    [
      'that answers with a draft is good',
      good,
      {},
      /^ok: fake-model at 127\.0\.0\.1:\d+\/v1 answers in [\d.]+ s \(asked for JSON by schema\)$/u,
      0,
    ],
    ['whose key is wrong is bad', good, { AI_API_KEY: 'wrong-key' }, /^bad: .*answered 401$/u, 1],
    ['whose model is unknown is bad', good, { AI_MODEL: 'other' }, /^bad: other at .*answered 404$/u, 1],
    [
      'that does not keep to the form is to be looked at',
      { kind: 'content', content: 'Hello!' },
      {},
      /^warn: .*not of the agreed form/u,
      0,
    ],
    ['that has no room is to be looked at', { kind: 'status', status: 429 }, {}, /^warn: .*answered 429$/u, 0],
    [
      'that is something else is to be looked at',
      { kind: 'raw', body: '<html>' },
      {},
      /^warn: .*not a chat completion$/u,
      0,
    ],
  ] as const)('%s', async (_title, behaviour, more, expected, exitCode) => {
    const fake = await startFakeAi()
    try {
      fake.answer(behaviour)
      const doctor = await runDoctor({ ...env, ...fake.env, ...more })
      expect(doctor.of('assistant')[0]).toMatch(expected)
      expect(doctor.exitCode).toBe(exitCode)
      expect(doctor.stdout).not.toMatch(/ai-key-of-tests|wrong-key/u)
    } finally {
      await fake.close()
    }
  })

  test('that cannot be reached is bad', async () => {
    const baseUrl = `http://127.0.0.1:${await findFreePort()}/v1`
    const { of } = await runDoctor({ ...env, AI_BASE_URL: baseUrl, AI_API_KEY: 'k', AI_MODEL: 'm' })
    expect(of('assistant')[0]).toMatch(/^bad: m at .* is not reached: ECONNREFUSED$/u)
  })
})
