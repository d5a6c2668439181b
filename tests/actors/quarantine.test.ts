import { beforeEach, describe, expect, test } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'

import { StoreRefused } from '../../src/actors/ports.ts'
import type { LoggedQuarantineRelease } from '../../src/actors/ports.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { surveyOne } from '../support/machines/survey.ts'
import { businessAddress, createMemoryWorld, toMessage } from '../support/memory-world.ts'
import type { World } from '../support/memory-world.ts'

const user = 'whatsapp:+15005550006'

/** Texts that make the machine throw, as long as they stand here. */
const poison = new Set<string>()

const machine = setup({
  types: { context: {} as { heard: readonly string[] } },
  actors: { draftReply: fromPromise(async () => null) },
  actions: {
    sendMessage: (_, _params: { author: string; body: string }) => {},
    hear: assign({ heard: ({ context, event }) => [...context.heard, read(event)] }),
    note: assign({ heard: ({ context }, { text }: { text: string }) => [...context.heard, text] }),
  },
  guards: { restarts: ({ event }) => 'body' in event && event.body === 'restart' },
}).createMachine({
  id: 'listener',
  version: '1',
  context: { heard: [] },
  initial: 'PENDING',
  states: {
    PENDING: {
      on: {
        'message.received': [
          { guard: 'restarts', target: 'PENDING', reenter: true, actions: 'hear' },
          { actions: 'hear' },
        ],
      },
      invoke: {
        id: 'draft',
        src: 'draftReply',
        onDone: { actions: { type: 'note', params: { text: '(draft)' } } },
        onError: { actions: { type: 'note', params: { text: '(no draft)' } } },
      },
      after: { 60_000: 'EXPIRED' },
    },
    EXPIRED: { tags: 'closed' },
  },
})

function read(event: object): string {
  const body = 'body' in event ? String(event.body) : ''
  if (poison.has(body)) throw new Error(`cannot hear '${body}'`)
  return body
}

const listener: MachineRegistration = { ...surveyOne, machine: machine }
const silent = { draftReply: { isVisible: false, perform: async () => new Promise<never>(() => {}) } }

function heard(world: World): unknown {
  return (world.only().snapshot as { context: { heard: unknown } }).context.heard
}

function waiting(world: World): string[] {
  return world.store.parked.map(({ kind }) => kind)
}

let commands = 0

async function release(
  world: World,
  part: Partial<LoggedQuarantineRelease> = {},
  row = world.store.parked.findIndex(({ kind }) => kind === 'poison' || kind === 'waiting'),
): Promise<void> {
  commands += 1
  await world.log.publish({
    v: 1,
    type: 'quarantine.released',
    businessAddress,
    userKey: user,
    commandId: `c${commands}`,
    quarantineId: world.store.parked[row]?.quarantineId ?? '',
    action: 'retry',
    event: null,
    ...part,
  })
  await world.clock.advance(200)
}

async function quarantined(bodies: readonly string[] = ['bad', 'second', 'third']): Promise<World> {
  poison.add('bad')
  const world = await createMemoryWorld({ registration: listener, performers: silent })
  await world.say('first')
  for (const body of bodies) await world.say(body)
  return world
}

beforeEach(() => poison.clear())

describe('a person lets a quarantined session go on', () => {
  test('what could be repaired is applied again, and what waited behind it in its order', async () => {
    const world = await quarantined()
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting'])
    poison.clear()
    await release(world)
    expect(heard(world)).toEqual(['first', 'bad', 'second', 'third'])
    expect(waiting(world)).toEqual(['applied', 'applied', 'applied'])
    await world.say('fourth')
    expect(heard(world)).toEqual(['first', 'bad', 'second', 'third', 'fourth'])
    expect(world.store.cursor().sequence).toBe(6)
  })

  test('what still fails stays where it is, with the new reason, and nothing passes it', async () => {
    const world = await quarantined()
    await release(world)
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting'])
    expect([...world.store.commands.values()]).toEqual([
      expect.objectContaining({ outcome: 'refused', reason: "cannot hear 'bad'" }),
    ])
    await world.say('fourth')
    expect(heard(world)).toEqual(['first'])
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting', 'waiting'])
  })

  test('what is skipped leaves no trace in the conversation', async () => {
    const world = await quarantined()
    await release(world, { action: 'skip' })
    expect(heard(world)).toEqual(['first', 'second', 'third'])
    expect(waiting(world)).toEqual(['skipped', 'applied', 'applied'])
    expect(world.store.messages.map(({ body }) => body)).toEqual(['first', 'second', 'third'])
  })

  test('what is edited is applied as it was changed', async () => {
    const world = await quarantined()
    await release(world, { action: 'edit', event: toMessage(user, 'good', 'SM2') })
    expect(heard(world)).toEqual(['first', 'good', 'second', 'third'])
    expect(world.store.messages.map(({ body }) => body)).toEqual(['first', 'good', 'second', 'third'])
  })

  test('an edit for another session is refused at the door of the log', async () => {
    const world = await quarantined()
    await release(world, { action: 'edit', event: toMessage('whatsapp:+15005559999', 'good', 'SM2') })
    await world.clock.advance(1_000)
    expect(heard(world)).toEqual(['first'])
    expect(world.store.parked.at(-1)).toMatchObject({ kind: 'foreign' })
  })

  test('only the first waiting event can be released', async () => {
    const world = await quarantined()
    poison.clear()
    await release(world, { action: 'skip' }, 1)
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting'])
    expect([...world.store.commands.values()]).toEqual([
      expect.objectContaining({
        outcome: 'refused',
        reason: 'it is not the first event of its session that waits',
        status: 'PENDING',
      }),
    ])
    expect(world.store.cursor().sequence).toBe(5)
  })

  test('a second poisoned event behind the first stops the queue again', async () => {
    poison.add('worse')
    const world = await quarantined(['bad', 'second', 'worse', 'third'])
    poison.delete('bad')
    await release(world)
    expect(heard(world)).toEqual(['first', 'bad', 'second'])
    expect(waiting(world)).toEqual(['applied', 'applied', 'poison', 'waiting'])
    await release(world, { action: 'skip' })
    expect(heard(world)).toEqual(['first', 'bad', 'second', 'third'])
    await world.say('after all')
    expect(heard(world)).toEqual(['first', 'bad', 'second', 'third', 'after all'])
  })

  test('a release of a session that is not quarantined changes nothing', async () => {
    const world = await quarantined()
    poison.clear()
    await release(world)
    await release(world, {}, 0)
    expect(heard(world)).toEqual(['first', 'bad', 'second', 'third'])
  })
})

describe('meanwhile and afterwards', () => {
  test('timers are not due in quarantine and fire after the release', async () => {
    const world = await quarantined(['bad'])
    await world.clock.advance(120_000)
    expect(world.only().status).toBe('PENDING')
    poison.clear()
    await release(world)
    await world.clock.advance(100)
    expect(heard(world)).toEqual(['first', 'bad'])
    expect(world.only().status).toBe('EXPIRED')
  })

  test('a STOP that waits is an opt-out at once, a START waits for its turn, and both are heard of in their order', async () => {
    const toConsent: MachineRegistration['toConsent'] = (event) => {
      const body = 'body' in event ? event.body : ''
      if (body === 'STOP') return 'withdrawn'
      return body === 'START' ? 'given' : null
    }
    poison.add('bad')
    const world = await createMemoryWorld({ registration: { ...listener, toConsent }, performers: silent })
    await world.say('first')
    await world.say('bad')
    const told = () =>
      world.store.batches.flatMap(({ sessions }) => sessions.flatMap(({ notices }) => notices.map(({ kind }) => kind)))
    await world.say('STOP')
    expect(told()).toEqual(['opted-out'])
    await world.say('START')
    expect(told()).toEqual(['opted-out'])
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting'])
    poison.clear()
    await release(world)
    expect(heard(world)).toEqual(['first', 'bad', 'STOP', 'START'])
    expect(told().slice(1)).toEqual(['opted-out', 'opted-in'])
  })

  test('an effect that ends in quarantine keeps its outcome, and the chart hears of it in its turn', async () => {
    let answer = (): void => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    poison.add('bad')
    const world = await createMemoryWorld({
      registration: listener,
      performers: {
        draftReply: {
          isVisible: false,
          async perform() {
            await answered
            return { kind: 'done', output: null, providerId: null }
          },
        },
      },
    })
    await world.say('first')
    await world.say('bad')
    answer()
    await world.clock.advance(100)
    expect([...world.store.effects.values()].map(({ status }) => status)).toEqual(['done'])
    await world.say('second')
    poison.clear()
    await release(world)
    expect(heard(world)).toEqual(['first', 'bad', '(draft)', 'second'])
  })

  test('an outcome whose child was started anew before its turn is not told: the new one answers for itself', async () => {
    const answers: (() => void)[] = []
    poison.add('bad')
    const perform = async () => {
      await new Promise<void>((resolve) => void answers.push(resolve))
      return { kind: 'done', output: null, providerId: null } as const
    }
    const world = await createMemoryWorld({
      registration: listener,
      performers: { draftReply: { isVisible: false, perform } },
    })
    await world.say('first')
    await world.say('bad')
    await world.say('restart')
    answers[0]?.()
    await world.clock.advance(100)
    poison.clear()
    await release(world)
    expect(heard(world)).toEqual(['first', 'bad', 'restart'])
    answers[1]?.()
    await world.clock.advance(100)
    expect(heard(world)).toEqual(['first', 'bad', 'restart', '(draft)'])
  })

  test('a result that cannot be stored quarantines its session, and a person lets it go on', async () => {
    let drafts = 0
    const output = Number.NaN
    const perform = async () => {
      drafts += 1
      return { kind: 'done', output, providerId: null } as const
    }
    const world = await createMemoryWorld({
      registration: listener,
      performers: { draftReply: { isVisible: false, perform } },
    })
    await world.say('first')
    await world.say('second')
    expect(world.store.parked[0]).toMatchObject({
      kind: 'poison',
      subject: 'result',
      error: 'NaN is not a JSON number',
    })
    expect(waiting(world).slice(1)).toEqual(['waiting'])
    // It was performed once more, since nothing was known of it, and then it was settled.
    expect(drafts).toBe(2)
    expect([...world.store.effects.values()].map(({ status }) => status)).toEqual(['done'])
    await release(world)
    expect(heard(world)).toEqual(['first', '(draft)', 'second'])
  })

  test('a message that the provider repeats is applied once, whether it waits twice or is stored already', async () => {
    poison.add('bad')
    const world = await createMemoryWorld({ registration: listener, performers: silent })
    await world.say('first', { providerId: 'SMfirst' })
    await world.say('bad', { providerId: 'SMbad' })
    world.log.forgetPublications()
    await world.say('first', { providerId: 'SMfirst' })
    await world.say('bad', { providerId: 'SMbad' })
    await world.say('second', { providerId: 'SMsecond' })
    poison.clear()
    await release(world)
    await world.clock.advance(1_000)
    expect(heard(world)).toEqual(['first', 'bad', 'second'])
    expect(world.store.messages.map(({ providerId }) => providerId)).toEqual(['SMfirst', 'SMbad', 'SMsecond'])
    expect(waiting(world).every((kind) => kind === 'applied')).toBe(true)
  })

  test('a queue that one commit cannot hold is emptied by several, in order', async () => {
    const bodies = Array.from({ length: 70 }, (_, index) => `message ${index}`)
    const world = await quarantined(['bad', ...bodies])
    poison.clear()
    await release(world)
    await world.clock.advance(1_000)
    expect(heard(world)).toEqual(['first', 'bad', ...bodies])
  })

  test('a node that ends halfway is followed by one that goes on', async () => {
    const bodies = Array.from({ length: 50 }, (_, index) => `message ${index}`)
    const world = await quarantined(['bad', ...bodies])
    poison.clear()
    let commits = 0
    world.store.beforeCommit = async () => {
      commits += 1
      if (commits > 1) await new Promise(() => {})
    }
    await release(world)
    world.store.beforeCommit = null
    const drained = waiting(world).filter((kind) => kind === 'applied').length
    expect(drained).toBeGreaterThan(0)
    expect(drained).toBeLessThan(51)
    const next = await createMemoryWorld({ registration: listener, performers: silent, after: world })
    await next.clock.advance(1_000)
    expect(heard(next)).toEqual(['first', 'bad', ...bodies])
    await next.say('news', { providerId: 'SMnews' })
    expect(heard(next)).toEqual(['first', 'bad', ...bodies, 'news'])
  })

  test('what the store refuses stays in quarantine with its reason, and others are not held up', async () => {
    const world = await quarantined()
    poison.clear()
    world.store.beforeCommit = (batch) => {
      if (batch.sessions.some(({ messages }) => messages.some(({ body }) => body === 'bad'))) {
        throw new StoreRefused('the store will not have it')
      }
    }
    await release(world)
    await world.clock.advance(10_000)
    expect(waiting(world)).toEqual(['poison', 'waiting', 'waiting'])
    expect(world.store.parked[0]?.error).toBe('the store will not have it')
    await release(world, { action: 'skip' })
    expect(heard(world)).toEqual(['first', 'second', 'third'])
  })

  test('a snapshot that does not restore waits too, and goes on when a build can read it again', async () => {
    const world = await createMemoryWorld({ registration: listener, performers: silent })
    await world.say('first')
    const conversation = world.only()
    const { snapshot } = conversation
    await world.node.stop()
    const broken = { ...(snapshot as object), value: 'GONE' } as unknown as typeof snapshot
    world.store.conversations.set(conversation.conversationId, { ...conversation, snapshot: broken })
    const second = await createMemoryWorld({ registration: listener, performers: silent, after: world })
    await second.say('second', { providerId: 'SMsecond' })
    await second.say('third', { providerId: 'SMthird' })
    expect(waiting(second)).toEqual(['poison', 'waiting'])
    await second.node.stop()
    world.store.conversations.set(conversation.conversationId, { ...second.only(), snapshot })
    const repaired = await createMemoryWorld({ registration: listener, performers: silent, after: second })
    await release(repaired)
    expect(heard(repaired)).toEqual(['first', 'second', 'third'])
  })
})

test('an alarm goes off with every thousand events that wait', async () => {
  const world = await quarantined(['bad'])
  for (let index = 0; index < 1_100; index += 1) {
    await world.log.publish(toMessage(user, `message ${index}`, `SMx${index}`))
  }
  await world.clock.advance(5_000)
  expect(world.counts.get('quarantine_queues_long')).toBe(1)
  expect(world.store.cursor().sequence).toBe(1_102)
})
