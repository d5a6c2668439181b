import { describe, expect, test } from 'vitest'

import { StoreRefused } from '../../src/actors/ports.ts'
import { createMemoryWorld, toMessage } from '../support/memory-world.ts'

describe('the path of one message', () => {
  test('a first message is answered and the conversation is in progress', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    expect(world.only().status).toBe('PENDING')
    await world.clock.advance(1_600)
    expect(world.sent.map(({ body }) => body)).toEqual(['you said: hello'])
    expect(world.only().status).toBe('PROGRESS')
    expect(world.store.cursor().sequence).toBe(1)
    expect([...world.store.effects.values()].map(({ kind, status }) => [kind, status])).toEqual([
      ['draftReply', 'done'],
      ['sendMessage', 'done'],
    ])
  })

  test('three quick messages are one turn', async () => {
    const world = await createMemoryWorld()
    for (const body of ['one', 'two', 'three']) {
      await world.say(body)
      await world.clock.advance(1_000)
    }
    await world.clock.advance(1_000)
    expect(world.sent.map(({ body }) => body)).toEqual(['you said: one / two / three'])
  })

  test('versions are 1..n and the journal starts with the opening', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    await world.clock.advance(2_000)
    const { journal, version } = world.only()
    expect(journal.map((entry) => entry.version)).toEqual(journal.map((_, index) => index + 1))
    expect(journal.at(-1)?.version).toBe(version)
    expect(journal.map(({ fromStatus, toStatus }) => [fromStatus, toStatus]).slice(0, 2)).toEqual([
      [null, 'PENDING'],
      ['PENDING', 'PENDING'],
    ])
  })

  test('a message while the draft runs aborts it, and both messages are answered together', async () => {
    const aborted: string[] = []
    let drafts = 0
    const world = await createMemoryWorld({
      performers: {
        draftReply: {
          isVisible: false,
          async perform({ signal, effect }) {
            drafts += 1
            if (drafts > 1) {
              const { messages } = effect.params as unknown as { messages: { body: string }[] }
              const reply = messages.map(({ body }) => body).join('+')
              return { kind: 'done', output: { reply, intent: 'continue', confidence: 1 }, providerId: null }
            }
            await new Promise((resolve) => {
              signal.addEventListener('abort', resolve)
            })
            aborted.push(effect.effectId)
            return { kind: 'failed', error: { message: 'aborted', code: null } }
          },
        },
        sendMessage: { isVisible: true, perform: async ({ effect }) => sendTo(replies, effect.params) },
      },
    })
    const replies: unknown[] = []
    await world.say('first')
    await world.clock.advance(2_000)
    await world.say('second')
    expect(aborted).toHaveLength(1)
    await world.clock.advance(2_000)
    expect(replies).toEqual([expect.objectContaining({ body: 'first+second' })])
    expect(world.store.effects.get(aborted[0] ?? '')?.status).toBe('cancelled')
  })
})

describe('commits', () => {
  test('events that arrive while a commit is in flight fold into the next one', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    let release = (): void => {}
    world.store.beforeCommit = () =>
      new Promise<void>((resolve) => {
        release = resolve
      })
    const before = world.store.batches.length
    for (let index = 0; index < 50; index += 1) await world.say(`message ${index}`)
    world.store.beforeCommit = null
    release()
    await world.clock.advance(20)
    expect(world.store.batches.length - before).toBe(2)
    expect(world.store.batches.at(-1)?.sessions[0]?.conversations[0]?.journal).toHaveLength(49)
    expect(world.store.messages.map(({ body }) => body).slice(1)).toEqual(
      Array.from({ length: 50 }, (_, index) => `message ${index}`),
    )
  })

  test('a lost answer is followed by the very same batch, and the step counts once', async () => {
    const world = await createMemoryWorld()
    let lost = 0
    world.store.afterCommit = () => {
      lost += 1
      if (lost <= 3) throw new Error('the connection was reset')
    }
    await world.say('hello')
    await world.clock.advance(1_000)
    const [first, second] = world.store.batches
    expect(second).toEqual(first)
    expect(world.store.messages).toHaveLength(1)
    expect(world.only().version).toBe(2)
  })

  test('after a stale commit the session is loaded again and its events are decided anew', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    const { conversationId } = world.only()
    const loadSessions = world.store.loadSessions.bind(world.store)
    let loads = 0
    world.store.loadSessions = async (...call) => {
      loads += 1
      return loadSessions(...call)
    }
    world.store.bumpVersion(conversationId)
    await world.say('again')
    expect(loads).toBe(1)
    expect(world.counts.get('commits:stale')).toBe(1)
    expect(world.store.messages.map(({ body }) => body)).toEqual(['hello', 'again'])
    expect(world.store.cursor().sequence).toBe(2)
  })

  test('a node that another has replaced commits nothing and sends nothing', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    world.store.usurp()
    await world.say('again')
    await world.clock.advance(5_000)
    expect(world.store.messages).toHaveLength(1)
    expect(world.sent).toHaveLength(0)
    expect(world.node.describe().owned).toBe(0)
  })

  test('one session that the store refuses is quarantined; the others are committed', async () => {
    const world = await createMemoryWorld()
    world.log.hold()
    for (let user = 0; user < 8; user += 1)
      await world.say(user === 5 ? 'poison' : 'fine', { user: `whatsapp:+1500555000${user}` })
    world.store.beforeCommit = (batch) => {
      if (batch.sessions.some(({ messages }) => messages.some(({ body }) => body === 'poison'))) {
        throw new StoreRefused('refused')
      }
    }
    world.log.release()
    await world.clock.advance(30_000)
    expect(world.store.messages.filter(({ body }) => body === 'fine')).toHaveLength(7)
    expect(world.store.parked.map(({ kind }) => kind)).toEqual(['poison'])
    expect(world.store.cursor().sequence).toBe(8)
  })
})

describe('duplicates', () => {
  test('the same provider id within the window, beyond it, and in one fold is one message', async () => {
    const world = await createMemoryWorld()
    await world.say('hello', { providerId: 'SMsame' })
    await world.say('hello', { providerId: 'SMsame' })
    world.log.forgetPublications()
    await world.say('hello', { providerId: 'SMsame' })
    world.log.hold()
    await world.say('other', { providerId: 'SMother' })
    world.log.forgetPublications()
    await world.say('other', { providerId: 'SMother' })
    world.log.release()
    await world.clock.advance(100)
    expect(world.store.messages.map(({ body }) => body)).toEqual(['hello', 'other'])
    await world.clock.advance(1_000)
    expect(world.store.cursor().sequence).toBe(4)
  })
})

describe('what is not ours, and what cannot be applied', () => {
  test('a foreign message on the log is parked and the next one is answered', async () => {
    const world = await createMemoryWorld()
    world.log.append('message', 'a.b', new TextEncoder().encode('not json'))
    const contradiction = toMessage('whatsapp:+15005550006', 'hi', 'SM9')
    world.log.append('message', 'other.session', new TextEncoder().encode(JSON.stringify(contradiction)))
    const forged = { ...contradiction, type: 'xstate.done.actor.draftReply', output: {} }
    world.log.append('message', 'a.b', new TextEncoder().encode(JSON.stringify(forged)))
    await world.say('hello')
    await world.clock.advance(2_000)
    expect(world.store.parked.map(({ kind }) => kind)).toEqual(['foreign', 'foreign', 'foreign'])
    expect(world.sent).toHaveLength(1)
    expect(world.store.cursor().sequence).toBe(4)
  })

  test('what a foreign message does to its parser is kept with it, whatever it quotes', async () => {
    const world = await createMemoryWorld()
    world.log.append('message', 'a.b', new TextEncoder().encode('\u0000\u0001 binary'))
    const emoji = JSON.stringify({ ['\u{1F600}'.repeat(2_000)]: true, ['\u0000']: 1 })
    world.log.append('message', 'a.b', new TextEncoder().encode(emoji))
    world.log.append('message', 'a.b', new TextEncoder().encode(`x${emoji}`))
    await world.say('hello')
    await world.clock.advance(2_000)
    expect(world.store.parked.map(({ kind }) => kind)).toEqual(['foreign', 'foreign', 'foreign'])
    expect(world.sent).toHaveLength(1)
    expect(world.store.cursor().sequence).toBe(4)
  })

  test('advancing a clock with a real provider is parked, and the session goes on', async () => {
    const world = await createMemoryWorld({ mayAdvanceClock: false })
    await world.say('hello')
    const userKey = 'whatsapp:+15005550006'
    const session = { businessAddress: 'whatsapp:+14155238886', userKey }
    await world.log.publish({ v: 1, type: 'clock.advanced', ...session, commandId: 'c1', byMs: 86_400_000 })
    await world.clock.advance(2_000)
    expect(world.store.parked.map(({ kind }) => kind)).toEqual(['foreign'])
    expect(world.sent).toHaveLength(1)
  })

  test('an unknown business address is parked', async () => {
    const world = await createMemoryWorld()
    await world.log.publish({ ...toMessage('whatsapp:+15005550006', 'hi', 'SM1'), businessAddress: 'whatsapp:+1999' })
    await world.clock.advance(1_000)
    expect(world.store.parked.map(({ kind, error }) => [kind, error])).toEqual([
      ['foreign', 'Error: no channel has this business address'],
    ])
    expect(world.store.cursor().sequence).toBe(1)
  })
})

describe('time', () => {
  test('a message that is in the log wins over a timer that is due', async () => {
    const world = await createMemoryWorld({ settings: { idleTimeoutMs: 60_000 } })
    await world.say('hello')
    await world.clock.advance(2_000)
    expect(world.only().status).toBe('PROGRESS')
    await world.clock.advance(57_500)
    world.log.hold()
    await world.say('still here')
    await world.clock.advance(10_000)
    world.log.release()
    await world.clock.advance(5_000)
    expect(world.only().journal.map(({ toStatus }) => toStatus)).not.toContain('IDLE_TIMEOUT')
    expect(world.sent).toHaveLength(2)
  })

  test('an idle conversation times out, and expires at the times its timers were due', async () => {
    const world = await createMemoryWorld({ leaseMs: 600_000 })
    await world.say('hello')
    await world.clock.advance(16 * 60_000)
    expect(world.only().status).toBe('IDLE_TIMEOUT')
    await world.clock.advance(25 * 3_600_000)
    expect(world.only().status).toBe('EXPIRED')
    const [idle, expired] = world.only().journal.slice(-2)
    expect((expired?.occurredAt ?? 0) - (idle?.occurredAt ?? 0)).toBe(24 * 3_600_000)
  })

  test('advancing a session’s clock fires what became due, one after the other', async () => {
    const world = await createMemoryWorld()
    await world.say('hello')
    await world.clock.advance(2_000)
    await world.log.publish({
      v: 1,
      type: 'clock.advanced',
      businessAddress: 'whatsapp:+14155238886',
      userKey: 'whatsapp:+15005550006',
      commandId: 'c1',
      byMs: 48 * 3_600_000,
    })
    await world.clock.advance(100)
    expect(world.only().status).toBe('EXPIRED')
    expect(
      world
        .only()
        .journal.slice(-2)
        .map(({ toStatus }) => toStatus),
    ).toEqual(['IDLE_TIMEOUT', 'EXPIRED'])
  })
})

function sendTo(replies: unknown[], params: unknown) {
  replies.push(params)
  return { kind: 'done' as const, output: null, providerId: `SMout${replies.length}` }
}
