import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from '../src/config.ts'

const twilio = {
  TWILIO_ACCOUNT_SID: 'AC0123456789abcdef0123456789abcdef',
  TWILIO_AUTH_TOKEN: 'first',
  TWILIO_NUMBERS: '+14155238886',
}

describe('without any setting', () => {
  test('everything is embedded and listens on loopback', () => {
    expect(readConfig({})).toMatchObject({
      http: { host: '127.0.0.1', port: 3000, publicUrl: 'http://127.0.0.1:3000' },
      dataDir: '.duologue',
      roles: ['webhook', 'actors', 'pages'],
      partitions: 64,
      leaseMs: 3000,
      apiToken: null,
      reviewToken: null,
      draft: null,
      databaseUrl: null,
      nats: null,
      supabase: null,
      twilio: null,
      ai: null,
    })
  })

  test('every node has another id', () => {
    expect(readConfig({}).nodeId).not.toBe(readConfig({}).nodeId)
  })

  test('an empty value is an unset one', () => {
    expect(readConfig({ DUOLOGUE_PORT: '', NATS_URL: ' ', TWILIO_ACCOUNT_SID: '' })).toMatchObject({
      http: { port: 3000 },
      nats: null,
      twilio: null,
    })
  })
})

describe('what is set', () => {
  test('the public URL has no fragment and no slash at its end', () => {
    const { http } = readConfig({ DUOLOGUE_PUBLIC_URL: 'https://chat.example.org/hooks/#rc=2&rp=all' })
    expect(http.publicUrl).toBe('https://chat.example.org/hooks')
  })

  test('with any free port the public URL is open until one is taken', () => {
    expect(readConfig({ DUOLOGUE_PORT: '0' }).http).toMatchObject({ port: 0, publicUrl: null })
  })

  test('a number without a scheme is for SMS, and one named twice is one', () => {
    const numbers = ' +14155238886, whatsapp:+14155238886,sms:+14155238886 '
    expect(readConfig({ ...twilio, TWILIO_NUMBERS: numbers }).twilio?.numbers).toEqual([
      'sms:+14155238886',
      'whatsapp:+14155238886',
    ])
  })

  test('auth tokens may be several, in order', () => {
    expect(readConfig({ ...twilio, TWILIO_AUTH_TOKEN: 'new, old' }).twilio?.authTokens).toEqual(['new', 'old'])
  })

  test('NATS may be a cluster', () => {
    const { nats } = readConfig({ NATS_URL: 'nats://a:4222,tls://b:4222', NATS_CREDENTIALS_FILE: '/run/nats.creds' })
    expect(nats).toEqual({
      replicas: 1,
      inboxPrefix: null,
      servers: ['nats://a:4222', 'tls://b:4222'],
      credentialsFile: '/run/nats.creds',
    })
  })

  test('voice messages may be read by an endpoint of their own, or by the assistant’s, or by nobody', () => {
    const ai = { AI_BASE_URL: 'https://ai.example.org/v1', AI_API_KEY: 'key', AI_MODEL: 'chat' }
    expect(readConfig(ai).transcribe).toBeNull()
    const own = {
      TRANSCRIBE_BASE_URL: 'https://ears.example.org/v1',
      TRANSCRIBE_API_KEY: 'own',
      TRANSCRIBE_MODEL: 'ears',
    }
    const expected = { baseUrl: 'https://ears.example.org/v1', apiKey: 'own', model: 'ears' }
    expect(readConfig({ ...ai, ...own }).transcribe).toEqual(expected)
    expect(readConfig(own).transcribe).toEqual(expected)
    const shared = { baseUrl: 'https://ai.example.org/v1', apiKey: 'key', model: 'ears' }
    expect(readConfig({ ...ai, TRANSCRIBE_MODEL: 'ears' }).transcribe).toEqual(shared)
  })

  test('the key of the assistant goes to no other endpoint', () => {
    const ai = { AI_BASE_URL: 'https://ai.example.org/v1', AI_API_KEY: 'key', AI_MODEL: 'chat' }
    const other = { ...ai, TRANSCRIBE_BASE_URL: 'https://ears.example.org/v1', TRANSCRIBE_MODEL: 'ears' }
    expect(() => readConfig(other)).toThrow('TRANSCRIBE_API_KEY is missing, but TRANSCRIBE_BASE_URL is set')
    expect(() => readConfig({ TRANSCRIBE_MODEL: 'ears' })).toThrow('TRANSCRIBE_BASE_URL is missing')
  })

  test('media comes from the hosts that are named', () => {
    expect(readConfig({}).mediaHosts).toContain('mms.twiliocdn.com')
    expect(readConfig({ MEDIA_HOSTS: 'media.example.org, b.example.org' }).mediaHosts).toEqual([
      'media.example.org',
      'b.example.org',
    ])
  })

  test('roles may be some of the three', () => {
    expect(readConfig({ DUOLOGUE_ROLES: 'actors, webhook' }).roles).toEqual(['webhook', 'actors'])
  })
})

describe('what is wrong', () => {
  test.each([
    ['DUOLOGUE_PORT', '65536'],
    ['DUOLOGUE_PORT', '3e3'],
    ['DUOLOGUE_HOST', 'a host'],
    ['DUOLOGUE_PUBLIC_URL', 'chat.example.org'],
    ['DUOLOGUE_PUBLIC_URL', 'https://chat.example.org/?a=b'],
    ['DUOLOGUE_ROLES', 'webhook,worker'],
    ['DUOLOGUE_NODE_ID', 'a b'],
    ['DUOLOGUE_PARTITIONS', '0'],
    ['DUOLOGUE_LEASE_MS', '299'],
    ['DUOLOGUE_API_TOKEN', 'two words'],
    ['DATABASE_URL', 'mysql://localhost'],
    ['NATS_URL', 'http://localhost:4222'],
    ['NATS_URL', ','],
    ['MEDIA_HOSTS', '127.0.0.1'],
    ['MEDIA_HOSTS', 'https://media.example.org'],
    ['MEDIA_HOSTS', '*.example.org'],
    ['MEDIA_HOSTS', 'localhost'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must be `, 'u'))
  })

  test.each(['14155238886', 'whatsapp:4155', 'tel:+14155238886'])('TWILIO_NUMBERS=%s is refused', (number) => {
    expect(() => readConfig({ ...twilio, TWILIO_NUMBERS: number })).toThrow(/^TWILIO_NUMBERS must be /u)
  })

  test.each([
    ['SUPABASE_URL', 'https://a.example.org', 'SUPABASE_SECRET_KEY'],
    ['SUPABASE_SECRET_KEY', 'secret', 'SUPABASE_URL'],
    ['NATS_CREDENTIALS_FILE', '/run/nats.creds', 'NATS_URL'],
  ])('%s alone asks for its other half', (name, value, missing) => {
    expect(() => readConfig({ [name]: value })).toThrow(`${missing} is missing, but ${name} is set`)
  })

  test('one error names all of them, and repeats no value', () => {
    const error = failure({ DUOLOGUE_PORT: 'hidden', AI_API_KEY: 'hidden', TWILIO_API_URL: 'http://127.0.0.1:1' })
    expect(error).toBeInstanceOf(ConfigError)
    for (const name of [
      'DUOLOGUE_PORT',
      'AI_BASE_URL',
      'AI_MODEL',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'TWILIO_NUMBERS',
    ]) {
      expect(error.message).toContain(name)
    }
    expect(error.message).not.toContain('hidden')
  })
})

describe('.env.example', () => {
  const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  const entries = [...example.matchAll(/^([A-Z_]+)=(.*)$/gmu)].map(
    ([, name = '', value = '']) => [name, value] as const,
  )

  test('names the settings that are read, and no others', () => {
    const asked = new Set<string>()
    readConfig(new Proxy({}, { get: (_, name) => void asked.add(String(name)) }))
    expect(entries.map(([name]) => name).toSorted()).toEqual([...asked].toSorted())
  })

  test('gives the defaults', () => {
    expect({ ...readConfig(Object.fromEntries(entries)), nodeId: '' }).toEqual({ ...readConfig({}), nodeId: '' })
  })
})

function failure(env: { [name: string]: string }): Error {
  try {
    readConfig(env)
  } catch (error) {
    return error as Error
  }
  throw new Error('the settings were accepted')
}
