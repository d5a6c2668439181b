/** Where an event belongs by what its session has given away, and how it goes there. */
import { describe, expect, test } from 'vitest'
import type { LoggedEntry } from '../../src/actors/entry.ts'
import { mayForward } from '../../src/actors/forward.ts'
import { toForwarded, toHome } from '../../src/actors/identities.ts'
import { readLoggedEvent, toKind, toPublicationId } from '../../src/actors/logged-event.ts'
import type { LoggedEvent, LoggedMessage } from '../../src/actors/ports.ts'
import { toSessionKey } from '../../src/actors/session-key.ts'
import { createSessionState } from '../../src/actors/session-state.ts'
import type { SessionState } from '../../src/actors/session-state.ts'

const businessAddress = 'whatsapp:+14155238886'
const phone = 'whatsapp:+15005550001'
const bsuid = 'whatsapp:US.1'
const home = 'whatsapp:+15005550002'

const message: LoggedMessage = {
  v: 1,
  type: 'message.received',
  businessAddress,
  userKey: phone,
  replyAddress: phone,
  providerId: 'SM1',
  body: 'hi',
  media: [],
  profileName: null,
  receivedAt: 1,
  raw: {},
}
const command: LoggedEvent = {
  v: 1,
  type: 'command.issued',
  businessAddress,
  userKey: phone,
  commandId: 'c1',
  conversationId: '0198c0de-0000-7000-8000-00000000000a',
  seenVersion: null,
  event: { type: 'operator.closed' },
  issuedAt: 1,
}

function toEntry(event: LoggedEvent): LoggedEntry {
  const data = new TextEncoder().encode(JSON.stringify(event))
  const sessionKey = toSessionKey(event.businessAddress, event.userKey)
  const log = { sequence: 1, partition: 0, kind: toKind(event), sessionKey, at: 1, data }
  return { kind: 'logged', log, event, position: { sequence: 1, bytes: 1, state: 'waiting' } }
}

function sessionWith(changes: Partial<SessionState>): SessionState {
  const channel = { tenantId: 't', channelId: 'c', businessAddress, settings: {} }
  return { ...createSessionState('s', channel, phone), isNew: false, ...changes }
}

describe('a session', () => {
  test('that has given nothing away keeps everything', () => {
    expect(toHome(sessionWith({}), toEntry(message))).toBeNull()
    expect(toHome(sessionWith({ isNew: true }), toEntry(message))).toBeNull()
  })

  test('that is linked away sends its messages on, whatever they came under, and keeps its commands', () => {
    const linked = sessionWith({ redirects: { [phone]: home, [bsuid]: home } })
    expect(toHome(linked, toEntry(message))).toBe(home)
    expect(toHome(linked, toEntry({ ...message, identities: [bsuid] }))).toBe(home)
    expect(toHome(linked, toEntry({ ...message, identities: ['whatsapp:+19', bsuid] }))).toBe(home)
    expect(toHome(linked, toEntry(command))).toBeNull()
  })

  test('from which one key was parted sends on what came under that key, and nothing else', () => {
    const parted = sessionWith({ redirects: { [bsuid]: home } })
    expect(toHome(parted, toEntry({ ...message, identities: [bsuid] }))).toBe(home)
    expect(toHome(parted, toEntry({ ...message, identities: [phone, bsuid] }))).toBeNull()
    expect(toHome(parted, toEntry(message))).toBeNull()
  })

  test('that is not there, because its key is of another one, takes nothing', () => {
    const alias = sessionWith({ isNew: true, redirects: { [phone]: home } })
    expect(toHome(alias, toEntry(message))).toBe(home)
    expect(toHome(alias, toEntry(command))).toBe(home)
    expect(mayForward(toEntry(command))).toBe(false)
  })
})

describe('an event that is sent on', () => {
  test('is another publication each time, or the log would take it for the first one and drop it', () => {
    const once = toForwarded(message, home)
    const back = toForwarded(once, phone)
    const again = toForwarded(back, home)
    expect(new Set([message, once, back, again].map(toPublicationId)).size).toBe(4)
    expect(toPublicationId(toForwarded(message, home))).toBe(toPublicationId(once))
  })

  test('says under which key it came, and is read by the owner of its home', () => {
    const once = toForwarded(message, home)
    expect(once).toMatchObject({ userKey: home, identities: [phone], forwarded: 1 })
    expect(readLoggedEvent(toEntry(once).log)).toEqual(once)
  })

  test('is sent on sixteen times at most', () => {
    let event: LoggedEvent = message
    for (let hop = 0; hop < 16; hop += 1) event = toForwarded(event, home)
    expect(readLoggedEvent(toEntry(event).log)).toEqual(event)
    expect(() => readLoggedEvent(toEntry(toForwarded(event, home)).log)).toThrow(/forwarded/u)
  })
})
