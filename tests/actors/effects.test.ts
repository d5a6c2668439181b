import { describe, expect, test } from 'vitest'

import type { EffectPerformer, EffectPerformers, EffectResult } from '../../src/actors/ports.ts'
import { createMemoryWorld } from '../support/memory-world.ts'

const draftReply: EffectPerformer = {
  isVisible: false,
  async perform({ effect }) {
    const { messages } = effect.params as unknown as { messages: { body: string }[] }
    const reply = `re: ${messages.map(({ body }) => body).join('+')}`
    return { kind: 'done', output: { reply, intent: 'continue', confidence: 1 }, providerId: null }
  },
}

/** A provider whose next answers are given; what it is asked is kept. */
function createProvider(answers: (EffectResult | 'never')[], listed: (string | null)[] = []) {
  const performed: string[] = []
  let asked = 0
  const sendMessage: EffectPerformer = {
    isVisible: true,
    async perform({ effect }) {
      performed.push((effect.params as { body: string }).body)
      const answer = answers[performed.length - 1] ?? {
        kind: 'done',
        output: null,
        providerId: `SM${performed.length}`,
      }
      return answer === 'never' ? new Promise<EffectResult>(() => {}) : answer
    },
    async resolve() {
      const providerId = listed[asked] ?? null
      asked += 1
      return providerId === null ? 'accepted-none' : { providerId }
    },
  }
  const performers: EffectPerformers = { draftReply, sendMessage }
  return { performers, performed, asked: () => asked }
}

const lost: EffectResult = { kind: 'uncertain', reason: 'timed out' }

function sends(world: Awaited<ReturnType<typeof createMemoryWorld>>) {
  return [...world.store.effects.values()].filter(({ kind }) => kind === 'sendMessage')
}

async function callBack(world: Awaited<ReturnType<typeof createMemoryWorld>>, status: 'delivered') {
  await world.log.publish({
    v: 1,
    type: 'delivery.updated',
    businessAddress: 'whatsapp:+14155238886',
    userKey: 'whatsapp:+15005550006',
    providerId: 'SMcalled',
    effectId: sends(world)[0]?.effectId ?? null,
    status,
    errorCode: null,
    receivedAt: 0,
    raw: {},
  })
}

describe('a send whose answer was lost', () => {
  test('is done when the provider lists it, and is not sent again', async () => {
    const provider = createProvider([lost], ['SMfound'])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(60_000)
    expect(provider.performed).toEqual(['re: hello'])
    expect(sends(world)).toEqual([expect.objectContaining({ status: 'done', providerId: 'SMfound' })])
  })

  test('that is listed only after 12 seconds is done all the same', async () => {
    const provider = createProvider([lost], [null, null, 'SMlate'])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(60_000)
    expect(provider.performed).toHaveLength(1)
    expect(sends(world)[0]).toMatchObject({ status: 'done', providerId: 'SMlate' })
  })

  test('is asked about until the provider answers: its silence proves nothing', async () => {
    const provider = createProvider([lost])
    const world = await createMemoryWorld({ performers: provider.performers })
    const silentUntil = world.clock.now() + 200_000
    provider.performers['sendMessage']!.resolve = async () => {
      if (world.clock.now() < silentUntil) throw new Error('Twilio does not answer')
      return { providerId: 'SMfound' }
    }
    await world.say('hello')
    await world.clock.advance(300_000)
    expect(provider.performed).toEqual(['re: hello'])
    expect(sends(world)).toEqual([expect.objectContaining({ status: 'done', providerId: 'SMfound' })])
  })

  test('that the provider does not know is sent once more, and no more than once', async () => {
    const provider = createProvider([lost, lost, lost])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(300_000)
    expect(provider.performed).toEqual(['re: hello', 're: hello'])
    expect(sends(world)[0]).toMatchObject({ status: 'uncertain', attempts: 2 })
    expect(world.counts.get('sends_left_uncertain')).toBe(1)
  })

  test('is done when a callback names its effect', async () => {
    const provider = createProvider([lost])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(3_000)
    await callBack(world, 'delivered')
    await world.clock.advance(120_000)
    expect(provider.performed).toHaveLength(1)
    expect(sends(world)[0]).toMatchObject({ status: 'done', providerId: 'SMcalled' })
  })

  test('is sent once more also when its first starts came too late to leave this process', async () => {
    const late: EffectResult = { kind: 'retry', afterMs: 0, reason: 'the deadline had passed', isAttempt: false }
    const provider = createProvider([late, late, lost])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(300_000)
    expect(provider.performed).toHaveLength(4)
    expect(sends(world)[0]).toMatchObject({ status: 'done', attempts: 2 })
  })

  test('is done when a callback names its effect while it waits to be sent once more', async () => {
    const provider = createProvider([lost, { kind: 'retry', afterMs: 60_000, reason: 'slow down' }])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(80_000)
    expect(sends(world)[0]).toMatchObject({ status: 'pending', attempts: 2 })
    await callBack(world, 'delivered')
    await world.clock.advance(300_000)
    expect(provider.performed).toHaveLength(2)
    expect(sends(world)).toEqual([expect.objectContaining({ status: 'done', providerId: 'SMcalled' })])
  })

  test('holds the session’s next send for a minute, then lets it go', async () => {
    const provider = createProvider([lost])
    provider.performers['sendMessage']!.resolve = async () => 'ambiguous'
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('one')
    await world.clock.advance(3_000)
    await world.say('two')
    await world.clock.advance(40_000)
    expect(provider.performed).toEqual(['re: one'])
    await world.clock.advance(40_000)
    expect(provider.performed).toEqual(['re: one', 're: two'])
  })
})

describe('a send that the provider refused', () => {
  test('for now is tried again after the delay', async () => {
    const provider = createProvider([{ kind: 'retry', afterMs: 5_000, reason: '429' }])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(3_000)
    expect(sends(world)[0]).toMatchObject({ status: 'pending', attempts: 1 })
    await world.clock.advance(6_000)
    expect(provider.performed).toHaveLength(2)
    expect(sends(world)[0]).toMatchObject({ status: 'done', attempts: 2 })
  })

  test('for good is failed with its code', async () => {
    const error = { message: 'unsubscribed', code: '21610' }
    const provider = createProvider([{ kind: 'failed', error }])
    const world = await createMemoryWorld({ performers: provider.performers })
    await world.say('hello')
    await world.clock.advance(60_000)
    expect(provider.performed).toHaveLength(1)
    expect(sends(world)[0]).toMatchObject({ status: 'failed', outcome: error })
  })
})

describe('what a dead owner leaves', () => {
  test('a running send is asked about after its deadline, and not sent again', async () => {
    const first = await createMemoryWorld({ performers: createProvider(['never']).performers })
    await first.say('hello')
    await first.clock.advance(2_000)
    expect(sends(first)[0]?.status).toBe('running')
    first.store.usurp()
    const provider = createProvider([], ['SMfound'])
    const second = await createMemoryWorld({ after: first, performers: provider.performers })
    await second.clock.advance(1_000)
    expect(provider.asked()).toBe(0)
    await second.clock.advance(30_000)
    expect(provider.performed).toEqual([])
    expect(sends(second)[0]).toMatchObject({ status: 'done', providerId: 'SMfound' })
  })

  test('a send that was not begun waits until all that the log held was read, and a STOP in it stops the send', async () => {
    const later: EffectResult = { kind: 'retry', afterMs: 500, reason: 'slow down' }
    const first = await createMemoryWorld({ performers: createProvider([later]).performers })
    await first.say('hello')
    await first.clock.advance(1_800)
    first.store.usurp()
    expect(sends(first)[0]).toMatchObject({ status: 'pending' })
    await first.say('STOP', { providerId: 'SMstop' })
    // The log answers at once how far it goes, and hands out its events slowly.
    const read: typeof first.log.read = (partition, after, deliver) =>
      first.log.read(
        partition,
        after,
        async (entry) =>
          new Promise((resolve) => {
            first.clock.schedule(2_000, () => resolve(deliver(entry)))
          }),
      )
    const provider = createProvider([])
    const after = { ...first, log: { ...first.log, read } }
    const second = await createMemoryWorld({ after, performers: provider.performers })
    await second.clock.advance(30_000)
    expect(second.only().status).toBe('USER_CLOSED')
    expect(provider.performed).toEqual([])
  })

  test('a running send that was delivered does not hold up the STOP behind it', async () => {
    const first = await createMemoryWorld({ performers: createProvider(['never']).performers })
    await first.say('hello')
    await first.clock.advance(2_000)
    expect(sends(first)[0]?.status).toBe('running')
    first.store.usurp()
    // Both are in the log before the next owner reads, and stand in one commit.
    await callBack(first, 'delivered')
    await first.say('STOP', { providerId: 'SMstop' })
    const second = await createMemoryWorld({ after: first, performers: createProvider([]).performers })
    await second.clock.advance(30_000)
    expect(sends(second)[0]).toMatchObject({ status: 'done', providerId: 'SMcalled' })
    expect(second.only().status).toBe('USER_CLOSED')
    expect(second.store.cursor().sequence).toBe(3)
  })

  test('a running draft is begun again', async () => {
    const never: EffectPerformer = { isVisible: false, perform: () => new Promise(() => {}) }
    const first = await createMemoryWorld({ performers: { draftReply: never } })
    await first.say('hello')
    await first.clock.advance(2_000)
    first.store.usurp()
    const provider = createProvider([])
    const second = await createMemoryWorld({ after: first, performers: provider.performers })
    await second.clock.advance(1_000)
    expect(provider.performed).toEqual(['re: hello'])
    expect(second.only().status).toBe('PROGRESS')
  })

  test('a timer that became due meanwhile fires', async () => {
    const first = await createMemoryWorld()
    await first.say('hello')
    await first.clock.advance(3_000)
    const stopping = first.node.stop()
    await first.clock.advance(1_000)
    await stopping
    await first.clock.advance(3_600_000)
    expect(first.only().status).toBe('PROGRESS')
    const second = await createMemoryWorld({ after: first })
    await second.clock.advance(100)
    expect(second.only().status).toBe('IDLE_TIMEOUT')
  })
})
