import { describe, expect, test } from 'vitest'

import { replayJournal } from '../../src/actors/replay.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { surveyOne, surveyThreeWithoutOne, surveyTwo } from '../support/machines/survey.ts'
import { createMemoryWorld, toMessage } from '../support/memory-world.ts'
import type { World } from '../support/memory-world.ts'

const alice = { user: 'whatsapp:+15005550001' }
const bob = { user: 'whatsapp:+15005550002' }
/** Three claims of a lease of three seconds. */
const claimsMs = 3_000

function startOne() {
  return createMemoryWorld({ registration: surveyOne })
}

async function join(world: World, registration: MachineRegistration, nodeId: string): Promise<World> {
  return createMemoryWorld({ registration, beside: world, nodeId })
}

function stored(world: World) {
  return [...world.store.conversations.values()].map(({ machineVersion, snapshot, journal }) => ({
    machineVersion,
    context: (snapshot as { context: unknown }).context,
    journalled: journal.map((entry) => `${entry.machineVersion} ${(entry.event as { type: string }).type}`),
  }))
}

describe('a rolling deploy', () => {
  test('the newer node runs the older version until every live node knows the newer one', async () => {
    const old = await startOne()
    await old.say('hello', alice)
    await old.node.stop()
    const second = await join(old, surveyTwo, 'node-2')
    const third = { nodeId: 'node-3', leaseMs: 3_000, held: [], takeAll: false, renewOnly: false }
    await old.store.claimPartitions({ ...third, machines: { survey: ['1'] } })
    await second.clock.advance(claimsMs)
    await old.log.publish(toMessage(bob.user, 'again', 'SMagain'))
    await second.clock.advance(100)
    expect(stored(old).map(({ machineVersion }) => machineVersion)).toEqual(['1', '1'])
    await old.store.releasePartitions('node-3', [])
    await second.clock.advance(claimsMs)
    await old.log.publish(toMessage(alice.user, 'and now', 'SMnow'))
    await second.clock.advance(100)
    // Whatever happens to a conversation next brings it to the new version: a message here, a timer there.
    expect(stored(old).map(({ machineVersion, journalled }) => [machineVersion, journalled.at(-1)])).toEqual([
      ['2', '2 message.received'],
      ['2', '2 machine.migrated'],
    ])
  })

  test('a conversation that was opened on version 1 goes on on version 2, and its journal gives it again', async () => {
    const old = await startOne()
    await old.say('hello', alice)
    await old.node.stop()
    const newer = await join(old, surveyTwo, 'node-2')
    await newer.say('again', { ...alice, providerId: 'SMagain' })
    const [conversation] = stored(newer)
    expect(conversation).toEqual({
      machineVersion: '2',
      context: { score: 20 },
      journalled: ['1 conversation.opened', '1 message.received', '2 machine.migrated', '2 message.received'],
    })
    expect(replayJournal(surveyTwo, newer.only().journal)).toMatchObject({
      kind: 'same',
      hash: newer.only().hash,
      snapshot: newer.only().snapshot,
    })
    expect(replayJournal(surveyThreeWithoutOne, newer.only().journal)).toEqual({
      kind: 'differs',
      version: 1,
      reason: "this build has no chart of version 1 of 'survey'",
    })
    const [opening, ...later] = newer.only().journal
    const forged = later.map((entry) =>
      entry.version === 3 ? { ...entry, event: { ...(entry.event as object), from: '0' } } : entry,
    )
    expect(() => replayJournal(surveyTwo, opening === undefined ? [] : [opening, ...forged])).toThrow(/version 0/u)
    const migrated = newer.only().journal[2]
    expect(migrated).toMatchObject({
      event: { type: 'machine.migrated', machine: 'survey', from: '1', to: '2' },
      initiator: 'system',
    })
  })

  test('a timer whose state is still there fires when it was due, before and after the migration', async () => {
    const old = await startOne()
    await old.say('hello', alice)
    const [opened] = old.only().journal
    await old.node.stop()
    const newer = await join(old, surveyTwo, 'node-2')
    await newer.clock.advance(70_000)
    const { status, journal } = newer.only()
    expect(status).toBe('EXPIRED')
    // 60 s after the message, which came with the opening.
    expect((journal.at(-1)?.occurredAt ?? 0) - (opened?.occurredAt ?? 0)).toBe(60_000)
    expect(journal.map(({ machineVersion }) => machineVersion).includes('2')).toBe(true)
    expect(replayJournal(surveyTwo, journal).kind).toBe('same')
  })

  test('a running draft that version 2 does not want is cancelled', async () => {
    const endless = { draftReply: { isVisible: false, perform: async () => new Promise<never>(() => {}) } }
    const old = await createMemoryWorld({ registration: surveyOne, performers: endless })
    await old.say('hello', alice)
    await old.clock.advance(2_100)
    expect(old.only().snapshot).toMatchObject({ value: { PENDING: 'drafting' } })
    await old.node.stop()
    const newer = await createMemoryWorld({
      registration: surveyTwo,
      performers: endless,
      beside: old,
      nodeId: 'node-2',
    })
    await newer.say('more', { ...alice, providerId: 'SMmore' })
    const drafts = [...newer.store.effects.values()].filter(({ kind }) => kind === 'draftReply')
    expect(drafts.map(({ status }) => status)).toEqual(['cancelled'])
    expect(newer.only().snapshot).toMatchObject({ children: {} })
  })

  test('a build that no longer runs version 1 migrates what is left of it', async () => {
    const old = await startOne()
    await old.say('hello', alice)
    await old.node.stop()
    const newer = await join(old, surveyThreeWithoutOne, 'node-2')
    await newer.say('again', { ...alice, providerId: 'SMagain' })
    expect(stored(newer)[0]).toMatchObject({ machineVersion: '3', context: { score: 21 } })
    expect(newer.store.parked).toEqual([])
  })
})

describe('an older node that meets a newer snapshot', () => {
  async function startNewerThenOlder() {
    const newer = await createMemoryWorld({ registration: surveyTwo })
    await newer.say('hello', alice)
    await newer.node.stop()
    const before = structuredClone(newer.only())
    const older = await join(newer, surveyOne, 'old-node')
    return { before, newer, older }
  }

  test('does not touch it, quarantines nothing, and goes on with everybody else', async () => {
    const { before, older } = await startNewerThenOlder()
    await older.say('are you there?', { ...alice, providerId: 'SMa' })
    await older.say('hello', { ...bob, providerId: 'SMb' })
    await older.clock.advance(120_000)
    const [first, second] = [...older.store.conversations.values()]
    expect(first).toEqual(before)
    expect(second).toMatchObject({ machineVersion: '1', status: 'EXPIRED' })
    expect(older.store.parked).toEqual([])
    expect(older.counts.get('sessions_withheld:survey:2')).toBeGreaterThan(0)
    // What it cannot do is not finished: the log keeps it.
    expect(older.store.cursor().sequence).toBe(1)
  })

  test('gives the partition to a node that knows the version, which answers what has waited', async () => {
    const { older } = await startNewerThenOlder()
    await older.say('are you there?', { ...alice, providerId: 'SMa' })
    const newest = await join(older, surveyTwo, 'new-node')
    expect(newest.node.describe().owned).toBe(0)
    await older.clock.advance(claimsMs)
    expect([older.node.describe().owned, newest.node.describe().owned]).toEqual([0, 1])
    expect(stored(older)).toEqual([expect.objectContaining({ machineVersion: '2', context: { score: 20 } })])
    const inbound = older.store.messages.filter(({ direction }) => direction === 'inbound')
    expect(inbound.map(({ body }) => body)).toEqual(['hello', 'are you there?'])
    // Both are live: what is new begins on the version that both know.
    await older.log.publish(toMessage(bob.user, 'hello', 'SMb'))
    await older.clock.advance(100)
    expect(stored(older)[1]).toMatchObject({ machineVersion: '1' })
  })
})

test('after a rollback the conversations that were not migrated go on on version 1', async () => {
  const old = await startOne()
  await old.say('hello', alice)
  await old.say('hello', bob)
  await old.node.stop()
  const newer = await join(old, surveyTwo, 'node-2')
  await newer.say('again', { ...alice, providerId: 'SMa2' })
  expect(stored(newer).map(({ machineVersion }) => machineVersion)).toEqual(['2', '1'])
  await newer.node.stop()
  const rolledBack = await join(old, surveyOne, 'node-3')
  await rolledBack.say('again', { ...bob, providerId: 'SMb2' })
  await rolledBack.say('once more', { ...alice, providerId: 'SMa3' })
  expect(stored(rolledBack).map(({ machineVersion, context }) => [machineVersion, context])).toEqual([
    ['2', { score: 20 }],
    ['1', { answers: 2 }],
  ])
  await rolledBack.node.stop()
  const again = await join(old, surveyTwo, 'node-4')
  await again.clock.advance(100)
  expect(again.store.messages.map(({ body }) => body)).toEqual(['hello', 'hello', 'again', 'again', 'once more'])
  expect(again.store.parked).toEqual([])
})
