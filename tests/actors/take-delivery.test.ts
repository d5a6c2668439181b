/** What every row of the table of failures does to a session, told by the answer to a send and by a callback. */
import { describe, expect, test } from 'vitest'

import type { EffectResult, SessionNotice } from '../../src/actors/ports.ts'
import { deliveryRules } from '../../src/machines/delivery-rules.ts'
import type { DeliveryAction } from '../../src/machines/delivery-rules.ts'
import { businessAddress, createMemoryWorld } from '../support/memory-world.ts'

const user = 'whatsapp:+15005550006'
const question = 'This sentence has thirty letters. '.repeat(10).trim()
/** Longer than any delay of the table. */
const longMs = 3 * 3_600_000

type Row = readonly [code: string, action: DeliveryAction]
type RowOf<Kind extends DeliveryAction['kind']> = readonly [string, Extract<DeliveryAction, { readonly kind: Kind }>]

const rows: readonly Row[] = [
  ...Object.entries(deliveryRules).map(([code, { action }]) => [code, action] as const),
  ['99999', { kind: 'tell-operator' }],
]

function rowsOf<Kind extends DeliveryAction['kind']>(...kinds: readonly Kind[]): readonly RowOf<Kind>[] {
  return rows.filter((row): row is RowOf<Kind> => (kinds as readonly string[]).includes(row[1].kind))
}

/** A world in which the first `refusals` sends are refused with a code, and the later ones are taken. */
async function createRefusingWorld(code: string | null, refusals: number, answer = Promise.resolve()) {
  const attempts: { readonly body: string; readonly at: number }[] = []
  const world = await createMemoryWorld({
    settings: { quietMs: 0, idleTimeoutMs: 10 * longMs },
    leaseMs: 600_000,
    performers: {
      sendMessage: {
        isVisible: true,
        async perform({ effect }): Promise<EffectResult> {
          // The store in memory does not fill in what a resend says.
          const { body = '' } = (effect.params ?? {}) as { body?: string }
          attempts.push({ body, at: world.clock.now() })
          const isRefused = attempts.length <= refusals
          if (isRefused) return { kind: 'failed', error: { message: 'refused', code } }
          const providerId = `SMout${attempts.length}`
          await answer
          return { kind: 'done', output: null, providerId }
        },
        resolve: async () => 'accepted-none',
      },
    },
  })
  const notices = (): readonly SessionNotice[] =>
    world.store.batches.flatMap(({ sessions }) => sessions.flatMap((session) => session.notices))
  const sends = () => [...world.store.effects.values()].filter(({ kind }) => kind === 'sendMessage')
  const told = (action: DeliveryAction, source: string) =>
    world.counts.get(`delivery_failures:${action.kind}:${source}`) ?? 0
  return { ...world, attempts, notices, sends, told }
}

async function refuse(code: string | null, refusals = 1) {
  const world = await createRefusingWorld(code, refusals)
  await world.say(question, { user })
  await world.clock.advance(100)
  return world
}

type When = 'after' | 'before'

/** The provider took the message, and tells of it after it has answered, or before. */
async function takeAndTell(code: string | null, when: When, status: 'sent' | 'undelivered' = 'undelivered') {
  const answer = Promise.withResolvers<void>()
  if (when === 'after') answer.resolve()
  const world = await createRefusingWorld(code, 0, answer.promise)
  await world.say(question, { user })
  await world.clock.advance(100)
  const effectId = world.sends()[0]?.effectId ?? ''
  const callBack = async () => {
    await world.log.publish({
      v: 1,
      type: 'delivery.updated',
      businessAddress,
      userKey: user,
      providerId: 'SMout1',
      effectId,
      status,
      errorCode: code,
      receivedAt: 0,
      raw: { MessageStatus: status },
    })
    await world.clock.advance(100)
  }
  await callBack()
  answer.resolve()
  await world.clock.advance(100)
  return { ...world, effectId, callBack }
}

const resendOf = (world: Awaited<ReturnType<typeof takeAndTell>>, number = 1) =>
  world.store.batches
    .flatMap(({ sessions }) => sessions.flatMap(({ effects }) => effects))
    .filter(({ effectId }) => effectId === `${world.effectId}:${number}`)

describe('a refused send', () => {
  test.each(rows)('with %s is told once, and counted as what it is', async (code, action) => {
    const world = await refuse(code)
    expect(world.told(action, 'response')).toBe(1)
  })

  test.each(rowsOf('retry'))(
    'with %s is the same effect after each of its pauses, then has failed',
    async (code, action) => {
      const world = await refuse(code, 100)
      expect(world.sends()[0]).toMatchObject({ status: 'pending', attempts: 1 })
      await world.clock.advance(action.afterMs.reduce((sum, ms) => sum + ms + 1_000, longMs))
      expect(world.attempts).toHaveLength(action.afterMs.length + 1)
      const pauses = world.attempts.slice(1).map(({ at }, index) => at - (world.attempts[index]?.at ?? 0))
      for (const [index, pause] of pauses.entries()) {
        expect(pause).toBeGreaterThanOrEqual(action.afterMs[index] ?? Infinity)
        expect(pause).toBeLessThan((action.afterMs[index] ?? 0) + 1_000)
      }
      expect(world.sends()).toEqual([expect.objectContaining({ status: 'failed' })])
    },
  )

  test.each(rowsOf('retry'))('with %s that is taken the second time is one message', async (code, action) => {
    const world = await refuse(code)
    await world.clock.advance((action.afterMs[0] ?? 0) + 1_000)
    expect(world.attempts.map(({ body }) => body)).toEqual([`you said: ${question}`, `you said: ${question}`])
    expect(world.sends()).toEqual([expect.objectContaining({ status: 'done', providerId: 'SMout2' })])
  })

  test.each(rowsOf('pause-sender'))('with %s pauses the sender and waits as long', async (code, { forMs }) => {
    const world = await refuse(code)
    expect(world.notices()).toEqual([
      expect.objectContaining({ kind: 'sender-paused', source: 'response', code, pauseMs: forMs }),
    ])
    await world.clock.advance(forMs - 2_000)
    expect(world.attempts).toHaveLength(1)
    await world.clock.advance(3_000)
    expect(world.sends()).toEqual([expect.objectContaining({ status: 'done' })])
  })

  test.each(rowsOf('close-window'))('with %s closes the window and has not failed', async (code) => {
    const world = await refuse(code)
    const effectId = world.sends()[0]?.effectId
    expect(world.notices()).toEqual([expect.objectContaining({ kind: 'window-closed', code, effectId })])
    // The store in memory holds nothing: it goes at once.
    expect(world.sends()).toEqual([expect.objectContaining({ effectId, status: 'done', attempts: 2 })])
  })

  test.each(rowsOf('opt-out'))('with %s has failed, and is an opt-out that stops what comes later', async (code) => {
    const world = await refuse(code)
    expect(world.notices()).toEqual([expect.objectContaining({ kind: 'opted-out', source: 'response', code })])
    await world.say('anything else', { user })
    await world.clock.advance(10_000)
    expect(world.attempts).toHaveLength(1)
    expect(world.sends().map(({ status }) => status)).toEqual(['failed', 'cancelled'])
  })

  test.each(rowsOf('bad-address'))('with %s ends the conversation', async (code) => {
    const world = await refuse(code)
    expect(world.sends()).toEqual([expect.objectContaining({ status: 'failed' })])
    expect(world.only().status).toBe('FAILED')
    expect(world.notices()).toEqual([])
  })

  test.each(rowsOf('split'))('with %s goes in shorter pieces, in order', async (code) => {
    const world = await refuse(code)
    await world.clock.advance(1_000)
    const pieces = world.attempts.slice(1).map(({ body }) => body)
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join(' ')).toBe(`you said: ${question}`)
    expect(world.sends().map(({ status }) => status)).toEqual(['failed', ...pieces.map(() => 'done')])
  })

  test.each(rowsOf('alarm', 'template-alarm', 'tell-operator'))(
    'with %s has failed with its code, is not tried again, and the conversation goes on',
    async (code) => {
      const world = await refuse(code, 100)
      await world.clock.advance(longMs)
      expect(world.attempts).toHaveLength(1)
      expect(world.sends()).toEqual([
        expect.objectContaining({ status: 'failed', outcome: { message: 'refused', code } }),
      ])
      expect(world.only().status).toBe('PROGRESS')
      expect(world.notices()).toEqual([])
    },
  )
})

describe.each<When>(['after', 'before'])('a message that was not delivered, told %s the answer to its send', (when) => {
  test.each(rows)('with %s is told, and its effect stays done', async (code, action) => {
    const world = await takeAndTell(code, when)
    expect(world.told(action, 'callback')).toBe(1)
    expect(world.sends()[0]).toMatchObject({ status: 'done', attempts: 1, providerId: 'SMout1' })
  })

  test.each(rowsOf('retry'))('with %s is sent again after the pause, as an effect of its own', async (code, action) => {
    const world = await takeAndTell(code, when)
    const [resend] = resendOf(world)
    expect(resend).toMatchObject({ status: 'pending', attempts: 0, params: null })
    expect((resend?.nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThan((action.afterMs[0] ?? 0) - 1_000)
    await world.callBack()
    expect(resendOf(world)).toHaveLength(1)
    expect(world.attempts).toHaveLength(1)
  })

  test.each(rowsOf('pause-sender'))('with %s pauses the sender and is sent again after it', async (code, { forMs }) => {
    const world = await takeAndTell(code, when)
    expect(world.notices()).toEqual([
      expect.objectContaining({ kind: 'sender-paused', source: 'callback', code, pauseMs: forMs }),
    ])
    expect((resendOf(world)[0]?.nextAttemptAt ?? 0) - world.clock.now()).toBeGreaterThan(forMs - 1_000)
  })

  test.each(rowsOf('close-window'))('with %s closes the window, and is sent again as soon as it may', async (code) => {
    const world = await takeAndTell(code, when)
    const { effectId } = world
    expect(world.notices()).toEqual([
      expect.objectContaining({ kind: 'window-closed', source: 'callback', code, effectId }),
    ])
    expect(resendOf(world)).toEqual([expect.objectContaining({ nextAttemptAt: null })])
  })

  test.each(rowsOf('opt-out'))('with %s is an opt-out, and nothing is sent again', async (code) => {
    const world = await takeAndTell(code, when)
    expect(world.notices()).toEqual([
      expect.objectContaining({ kind: 'opted-out', source: 'callback', code, effectId: world.effectId }),
    ])
    await world.say('anything else', { user })
    await world.clock.advance(10_000)
    expect(world.attempts).toHaveLength(1)
  })

  test.each(rowsOf('bad-address'))('with %s ends the conversation', async (code) => {
    const world = await takeAndTell(code, when)
    expect(world.only().status).toBe('FAILED')
    expect(resendOf(world)).toEqual([])
  })

  test.each(rowsOf('split', 'alarm', 'template-alarm', 'tell-operator'))(
    'with %s is not sent again, and the conversation goes on',
    async (code) => {
      const world = await takeAndTell(code, when)
      await world.clock.advance(longMs)
      expect(world.attempts).toHaveLength(1)
      expect(resendOf(world)).toEqual([])
      expect(world.only().status).toBe('PROGRESS')
      expect(world.notices()).toEqual([])
    },
  )

  test('is nothing at all while it only carries a code', async () => {
    const world = await takeAndTell('63016', when, 'sent')
    expect(world.notices()).toEqual([])
    expect(world.told({ kind: 'close-window' }, 'callback')).toBe(0)
  })
})
