import { expect, test } from 'vitest'

import { findWrong } from '../../bench/checks/acknowledged.ts'
import type { Stored } from '../../bench/checks/acknowledged.ts'
import { toMessageSid, toUser } from '../../bench/load/identities.ts'
import type { LoadResult } from '../../bench/load/send-closed-loop.ts'

/** Messages of user 0, as [sent, acknowledged]; NaN: not acknowledged. */
function toLoad(...times: readonly (readonly [sentAt: number, acknowledgedAt: number])[]): LoadResult {
  return {
    startedAtMs: 0,
    endedAtMs: 100,
    sent: times.length,
    sentAtMs: Float64Array.from(times.map(([sentAt]) => sentAt)),
    acknowledgedAtMs: Float64Array.from(times.map(([, acknowledgedAt]) => acknowledgedAt)),
    users: new Uint32Array(times.length),
    failures: {},
  }
}

/** The conversation of user 0, whose steps took these messages in this order. */
function toStored(...indexes: readonly number[]): Stored {
  const messages = indexes.map((index, place) => ({
    providerId: toMessageSid('1', index),
    user: toUser('1', 0),
    conversationId: 'c',
    version: place + 1,
  }))
  const steps = indexes.length
  return { messages, conversations: [{ conversationId: 'c', version: steps, steps, firstStep: 1, lastStep: steps }] }
}

test('messages that are stored once, in the order of their acknowledgements, are right', () => {
  expect(findWrong('1', toLoad([0, 10], [10, 20], [20, 30]), toStored(0, 1, 2))).toEqual([])
})

test('an acknowledged message that is not stored is wrong', () => {
  expect(findWrong('1', toLoad([0, 10], [10, 20]), toStored(0))).toEqual([
    `${toMessageSid('1', 1)} was acknowledged and is not stored`,
  ])
})

test('a message that was not acknowledged may be stored or not', () => {
  const load = toLoad([0, 10], [10, Number.NaN])
  expect(findWrong('1', load, toStored(0))).toEqual([])
  expect(findWrong('1', load, toStored(0, 1))).toEqual([])
})

test('a message that is stored twice is wrong', () => {
  expect(findWrong('1', toLoad([0, 10]), toStored(0, 0))).toEqual([`${toMessageSid('1', 0)} is stored 2 times`])
})

test('a message that stands before one that was acknowledged before it was sent is wrong', () => {
  const wrong = findWrong('1', toLoad([0, 10], [10.5, 20]), toStored(1, 0))
  expect(wrong).toEqual([
    `${toMessageSid('1', 1)} was sent after ${toMessageSid('1', 0)} was acknowledged, and stands before it`,
  ])
})

test('a disorder is found across the messages between', () => {
  expect(findWrong('1', toLoad([0, 10], [5, 20], [11, 30]), toStored(2, 1, 0))).toHaveLength(1)
})

test('messages whose requests overlapped may stand either way', () => {
  expect(findWrong('1', toLoad([0, 10], [9, 20]), toStored(1, 0))).toEqual([])
})

test('a message without a step, of another user or of nobody is wrong', () => {
  const { messages, conversations } = toStored(0, 1)
  const [first, second] = messages
  const changed = [
    { ...first!, version: null },
    { ...second!, user: toUser('1', 7) },
    { ...second!, providerId: toMessageSid('1', 9) },
  ]
  expect(findWrong('1', toLoad([0, 10], [10, 20]), { messages: changed, conversations })).toEqual([
    `${toMessageSid('1', 0)} is stored, but no step took it`,
    `${toMessageSid('1', 1)} is stored under another user`,
    `${toMessageSid('1', 9)} is stored and was never sent`,
  ])
})

test('a gap in the versions is wrong', () => {
  const { messages } = toStored(0)
  const conversations = [{ conversationId: 'c', version: 3, steps: 2, firstStep: 1, lastStep: 3 }]
  expect(findWrong('1', toLoad([0, 10]), { messages, conversations })).toEqual(['c has version 3 and 2 steps'])
})

test('a request that was not answered with 200 is wrong', () => {
  const load = { ...toLoad([0, 10]), failures: { '503': 2 } }
  expect(findWrong('1', load, toStored(0))).toEqual(['2 requests were answered with 503'])
})
