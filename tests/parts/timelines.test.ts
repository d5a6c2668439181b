import { expect, test } from 'vitest'

import type { EventItem } from '../../src/actors/read-model.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { createTimelines } from '../../src/parts/timelines.ts'
import { toConversation } from '../infra/http/test-app.ts'

const id = '0190a0a0-0000-7000-8000-000000000001'

function entry(version: number, event: EventItem['event'], part: Partial<EventItem>): EventItem {
  return {
    version,
    event,
    eventId: `e${version}`,
    fromStatus: 'PENDING',
    toStatus: 'PENDING',
    reason: null,
    initiator: 'user',
    machineVersion: '2',
    occurredAt: new Date(1_800_000_000_000 + version * 60_000).toISOString(),
    hash: 'not to be made again',
    ...part,
  }
}

async function tell(items: readonly EventItem[], hasWords: boolean) {
  const conversation = toConversation({ id, status: 'PROGRESS', version: items.length, machine: 'conversation' })
  const readTimeline = createTimelines({
    readModel: { getConversation: async () => conversation, listEvents: async () => ({ items, next: null }) },
    machines: { conversation: conversationRegistration },
  })
  return readTimeline(id, hasWords)
}

test('steps of a version whose code is gone are told from the journal, each on the chart of its own version', async () => {
  const journal = [
    entry(1, { type: 'conversation.opened' }, { fromStatus: null }),
    entry(2, { type: 'message.received', body: 'my number is 123' }, {}),
    entry(3, { type: 'machine.migrated' }, { machineVersion: '3' }),
    entry(4, { type: 'xstate.done.actor.draftReply' }, { machineVersion: '3', toStatus: 'PROGRESS' }),
  ]
  const timeline = await tell(journal, false)
  expect(timeline?.replay).toEqual({
    kind: 'differs',
    version: 1,
    reason: "this build has no chart of version 2 of 'conversation'",
  })
  expect(timeline?.steps.map(({ chart, isReplayed }) => [chart, isReplayed])).toEqual([
    ['conversation@2', false],
    ['conversation@2', false],
    ['conversation@3', false],
    ['conversation@3', false],
  ])
  expect(timeline?.steps.map(({ from, to }) => [...from, ...to].join(' '))).toEqual([
    'conversation.PENDING',
    'conversation.PENDING conversation.PENDING',
    'conversation.PENDING conversation.PENDING',
    'conversation.PENDING conversation.PROGRESS',
  ])
  expect(JSON.stringify(timeline)).not.toContain('123')
  expect((await tell(journal, true))?.steps[1]?.said).toBe('my number is 123')
})
