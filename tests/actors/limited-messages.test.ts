/** Messages over the user's limit on a host: marked in the rows, the same whoever decides them and however often. */
import { expect, test } from 'vitest'

import { replayJournal } from '../../src/actors/replay.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { sentences } from '../../src/machines/conversation/sentences.ts'
import { createMemoryWorld, toMessage } from '../support/memory-world.ts'

const settings = { senderPerMinuteMax: 3, language: 'en' }
const user = 'whatsapp:+15005550006'

test('a burst in one fold is marked from the fourth message on, told once, and replays to the same snapshot', async () => {
  const world = await createMemoryWorld({ settings })
  await Promise.all(
    Array.from({ length: 20 }, async (_, place) => world.log.publish(toMessage(user, 'hi', `SM${place}`))),
  )
  await world.clock.advance(10_000)
  const inbound = world.store.messages.filter(({ direction }) => direction === 'inbound')
  expect(inbound.map(({ rateLimited = false }) => rateLimited)).toEqual([
    ...Array.from({ length: 3 }, () => false),
    ...Array.from({ length: 17 }, () => true),
  ])
  expect(world.drafts).toHaveLength(1)
  expect(world.sent.filter(({ body }) => body === sentences.en.tooMany)).toHaveLength(1)
  const { version, hash, journal } = world.only()
  expect(replayJournal(conversationRegistration, journal)).toMatchObject({ kind: 'same', version, hash })
  await world.node.stop()
})

test('a host that takes the session over counts on where the first one was', async () => {
  const first = await createMemoryWorld({ settings })
  await first.say('one')
  await first.say('two')
  await first.node.stop()
  const second = await createMemoryWorld({ settings, after: first })
  await second.say('three', { providerId: 'SM-3' })
  await second.say('four', { providerId: 'SM-4' })
  const limited = second.store.messages.filter(({ rateLimited }) => rateLimited === true)
  expect(limited.map(({ body }) => body)).toEqual(['four'])
  await second.node.stop()
})
