/**
 * SIGKILL from outside, at the named points and at random moments after the 200: after a restart every
 * acknowledged message is answered exactly once at the fake Twilio, and the database shows no trace of it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createDeployment } from '../support/deployment.ts'
import type { Deployment } from '../support/deployment.ts'
import { until } from '../support/service.ts'

const answeredMs = 30_000
const randomKills = 20
/** From the 200 to beyond the last status callback. */
const randomKillWithinMs = 900

let deployment: Deployment
const expected = new Map<string, number>()
let users = 0

beforeAll(async () => {
  deployment = await createDeployment({ quietMs: 150 })
})

afterAll(async () => {
  await deployment.remove()
})

function newUser(): string {
  users += 1
  return `whatsapp:+1500555${String(users).padStart(4, '0')}`
}

/** Each user's message opens a turn of its own, so each is one answer. */
async function sayAsMany(count: number): Promise<string[]> {
  const speakers = Array.from({ length: count }, newUser)
  const answers = await Promise.all(speakers.map(async (user) => deployment.fake.say(user, 'hello')))
  for (const [index, user] of speakers.entries()) if (answers[index]?.statusCode === 200) expected.set(user, 1)
  return speakers
}

async function countAnswers(): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { to } of await deployment.fake.sent()) counts.set(to, (counts.get(to) ?? 0) + 1)
  return counts
}

async function everyoneIsAnswered(): Promise<void> {
  let missing: string[] = []
  await until(
    async () => {
      const counts = await countAnswers()
      missing = [...expected].filter(([user, count]) => (counts.get(user) ?? 0) < count).map(([user]) => user)
      return missing.length === 0
    },
    answeredMs,
    () => `not answered: ${missing.join(', ')}`,
  )
}

/** Where one message comes by; all points and all paths are in crash-points.test.ts. */
const crashPoints = [
  'after-publish-acknowledged',
  'before-commit',
  'after-commit',
  'after-effect-running',
  'after-send-returned',
]

/** One user says the same at each point, so that a lost send could be taken for the one before. */
const sameUser = newUser()

test.each(crashPoints)('a kill %s loses nothing and repeats nothing', { timeout: 90_000 }, async (crashPoint) => {
  const doomed = await deployment.start({ DUOLOGUE_TEST_CRASH_POINT: crashPoint })
  const answering = deployment.fake.say(sameUser, 'hello')
  await doomed.crashPointReached()
  await doomed.kill()
  // The log had it, or Twilio got no 200 and calls again.
  const { statusCode, sid } = await answering
  const service = await deployment.start()
  const acknowledged = statusCode === 200 ? 200 : (await deployment.fake.say(sameUser, 'hello', sid)).statusCode
  expect(acknowledged).toBe(200)
  expected.set(sameUser, (expected.get(sameUser) ?? 0) + 1)
  await everyoneIsAnswered()
  await service.stop()
})

test('the answers to one user within a minute are told apart, though they are equal', async () => {
  const bodies = (await deployment.fake.sent(sameUser)).map(({ body }) => body)
  expect(bodies).toHaveLength(crashPoints.length)
  expect(new Set(bodies).size).toBe(1)
})

test(`${randomKills} kills at random moments after the 200`, { timeout: 400_000 }, async () => {
  for (let round = 0; round < randomKills; round += 1) {
    const doomed = await deployment.start()
    await sayAsMany(4)
    await new Promise((resolve) => {
      setTimeout(resolve, Math.random() * randomKillWithinMs)
    })
    await doomed.kill()
  }
  const service = await deployment.start()
  await everyoneIsAnswered()
  await service.stop()
})

test('a kill of the embedded nats-server alone is survived by the running service', { timeout: 60_000 }, async () => {
  const service = await deployment.start()
  await sayAsMany(2)
  const owner = await readFile(join(deployment.dataDir, 'owner.json'), 'utf8')
  for (const { pid } of (JSON.parse(owner) as { children: { pid: number }[] }).children) process.kill(pid, 'SIGKILL')
  await until(async () => {
    const user = newUser()
    const { statusCode } = await deployment.fake.say(user, 'hello')
    if (statusCode === 200) expected.set(user, 1)
    return statusCode === 200
  }, 10_000)
  await everyoneIsAnswered()
  await service.stop()
})

test('nobody got two answers', async () => {
  const counts = await countAnswers()
  expect([...counts].filter(([user, count]) => expected.get(user) !== count)).toEqual([])
})

test('the database shows whole journals, no open send and every message once', { timeout: 60_000 }, async () => {
  const gaps = await deployment.sql(`
    select id from duologue.conversations as conversation
    join duologue.conversation_events as event on event.conversation_id = conversation.id
    group by conversation.id
    having count(*) <> conversation.version or max(event.version) <> conversation.version`)
  expect(gaps).toEqual([])
  const open = await deployment.sql(`
    select id, status, attempts from duologue.effects
    where kind = 'sendMessage' and status not in ('done', 'cancelled')`)
  expect(open).toEqual([])
  const [inbound] = await deployment.sql(`
    select count(*)::int as messages, count(distinct provider_id)::int as ids from duologue.messages
    where direction = 'inbound'`)
  expect(inbound?.['messages']).toBe(inbound?.['ids'])
  expect(inbound?.['messages']).toBe([...expected.values()].reduce((sum, count) => sum + count, 0))
})
