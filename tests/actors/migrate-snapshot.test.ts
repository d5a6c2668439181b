import { describe, expect, test } from 'vitest'

import { migrateSnapshot } from '../../src/actors/migrate-snapshot.ts'
import { applyEvent, openConversation } from '../../src/actors/step.ts'
import type { Order } from '../../src/actors/step.ts'
import type { Timers } from '../../src/actors/ports.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { fromOneToTwo, surveyOne, surveyThree, surveyThreeWithoutOne, surveyTwo } from '../support/machines/survey.ts'

const opened = openConversation(surveyOne, null).snapshot
const asking = 'xstate.after.2000.survey.PENDING.asking'
const patience = 'xstate.after.patience.survey.PENDING'

function snapshotIn(...events: string[]): string {
  return events.reduce((snapshot, type) => applyEvent(surveyOne, snapshot, { type })?.snapshot ?? '', opened)
}

function armed(...ids: string[]): Timers {
  return Object.fromEntries(
    ids.map((id, index) => [id, { dueAt: 1_000 + index, token: `1:${index}`, event: { type: id } }]),
  )
}

function describeOrders(orders: readonly Order[]): string[] {
  return orders.map((order) => {
    if (order.kind === 'arm-timer') return `arm ${order.timerId} ${order.delayMs}`
    if (order.kind === 'cancel-timer') return `cancel ${order.timerId}`
    return 'childId' in order ? `${order.kind} ${order.childId}` : order.kind
  })
}

describe('timers', () => {
  test('one that its state still has stays, one whose state is gone is dropped, new ones are armed', () => {
    const { orders } = migrateSnapshot(surveyTwo, { from: '1', to: '2' }, opened, armed(asking, patience))
    expect(describeOrders(orders)).toEqual([
      `cancel ${asking}`,
      'arm xstate.after.2000.survey.PENDING.listening 2000',
      'arm xstate.after.reminder.survey.PENDING.listening 30000',
    ])
  })

  test('one that has fired already in a state that is still there is not armed anew', () => {
    const { orders } = migrateSnapshot(surveyTwo, { from: '1', to: '2' }, opened, armed(asking))
    expect(describeOrders(orders).join()).not.toContain(patience)
  })

  test('a delayed raise belongs to no state and stays', () => {
    const { orders } = migrateSnapshot(surveyTwo, { from: '1', to: '2' }, opened, armed('remind-me', patience))
    expect(describeOrders(orders).join()).not.toContain('remind-me')
  })
})

describe('children', () => {
  test('a draft that the state no longer wants is stopped', () => {
    const drafting = snapshotIn(asking)
    expect(JSON.parse(drafting)).toMatchObject({ value: { PENDING: 'drafting' }, children: { draft: {} } })
    const { orders, snapshot } = migrateSnapshot(surveyTwo, { from: '1', to: '2' }, drafting, {})
    expect(describeOrders(orders)).toContain('stop-child draft')
    expect(JSON.parse(snapshot)).toMatchObject({ value: { PENDING: 'listening' }, children: {} })
  })

  test('one that is new in an occupied state is started, with its input in the snapshot', () => {
    const asked = snapshotIn(asking, 'xstate.done.actor.draft')
    const { orders, snapshot } = migrateSnapshot(surveyTwo, { from: '1', to: '2' }, asked, {})
    expect(describeOrders(orders)).toContain('start-child check')
    expect(JSON.parse(snapshot)).toMatchObject({ children: { check: { src: 'draftReply' } } })
  })

  test('one that both versions want goes on', () => {
    const renamed: MachineRegistration = {
      ...surveyThree,
      versions: [{ version: '1', registration: surveyOne, migrate: (snapshot) => snapshot }],
      machine: surveyOne.machine.provide({}),
    }
    renamed.machine.version = '3'
    const { orders } = migrateSnapshot(renamed, { from: '1', to: '3' }, snapshotIn(asking), {})
    expect(describeOrders(orders)).toEqual([])
  })
})

test('several versions are one step, each migration in its turn', () => {
  const answered = snapshotIn('message.received', 'message.received')
  const { snapshot } = migrateSnapshot(surveyThree, { from: '1', to: '3' }, answered, {})
  expect(JSON.parse(snapshot)).toMatchObject({ context: { score: 21 } })
})

test('a build that only migrates the old version makes the same snapshot as one that still runs it', () => {
  const migration = { from: '1', to: '3' }
  for (const snapshot of [opened, snapshotIn(asking), snapshotIn(asking, 'xstate.done.actor.draft')]) {
    expect(migrateSnapshot(surveyThreeWithoutOne, migration, snapshot, {}).snapshot).toBe(
      migrateSnapshot(surveyThree, migration, snapshot, {}).snapshot,
    )
  }
})

test('a migration is handed a copy, and the migrated chart goes on', () => {
  const greedy = {
    ...fromOneToTwo,
    migrate: (given: Parameters<typeof fromOneToTwo.migrate>[0]) => {
      Object.assign(given.context, { answers: 7 })
      return fromOneToTwo.migrate(given)
    },
  }
  const registration = { ...surveyTwo, versions: [greedy] }
  const { snapshot } = migrateSnapshot(registration, { from: '1', to: '2' }, opened, {})
  expect(JSON.parse(snapshot)).toMatchObject({ context: { score: 70 } })
  expect(JSON.parse(opened)).toMatchObject({ context: { answers: 0 } })
  const next = applyEvent(surveyTwo, snapshot, { type: 'message.received' })
  expect(JSON.parse(next?.snapshot ?? '')).toMatchObject({ context: { score: 80 } })
})

describe('what is refused with a sentence', () => {
  test('a migration to a state that the new chart does not have', () => {
    const wrong = { ...surveyTwo, versions: [{ ...fromOneToTwo, migrate: (given: never) => given }] }
    expect(() => migrateSnapshot(wrong as never, { from: '1', to: '2' }, opened, {})).toThrow(/asking/u)
  })

  test('one that gives what JSON cannot carry', () => {
    const migrate = (given: object) => ({ ...given, context: { score: Number.NaN } })
    const wrong = { ...surveyTwo, versions: [{ ...fromOneToTwo, migrate }] }
    expect(() => migrateSnapshot(wrong as never, { from: '1', to: '2' }, opened, {})).toThrow(
      /NaN is not a JSON number/u,
    )
  })
})

test('a machine whose stored snapshot gives the states that it stands in, ancestors included, is what this rests on', () => {
  const input = { scheme: 'whatsapp', settings: {}, previousStatus: null }
  const { snapshot } = openConversation(conversationRegistration, input)
  const event = { type: 'message.received', messageId: 'm', body: 'hello', media: [], at: 1 }
  const collecting = applyEvent(conversationRegistration, snapshot, event)?.snapshot ?? ''
  const { machine } = conversationRegistration
  const { _nodes: nodes } = machine.resolveState(JSON.parse(collecting) as never) as unknown as {
    _nodes: { id: string }[]
  }
  expect(nodes.map(({ id }) => id).toSorted()).toEqual([
    'conversation',
    'conversation.PENDING',
    'conversation.PENDING.collecting',
  ])
})
