import { afterAll, beforeAll, expect, test } from 'vitest'

import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let production: Production
let service: ServiceProcess

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100, idleTimeoutMs: 1_000 })
  service = await production.start()
}, 120_000)

afterAll(async () => {
  await production.remove()
})

async function journalOf(user: string): Promise<string[]> {
  const rows = await production.sql(
    `select to_status from duologue.conversation_state_history as history
     join duologue.conversations as conversation on conversation.id = history.conversation_id
     join duologue.sessions as session on session.id = conversation.session_id
     where session.user_key = $1 order by conversation.id, history.version`,
    [user],
  )
  return rows.map((row) => String(row['to_status']))
}

async function answered(user: string, count: number): Promise<void> {
  await until(async () => (await production.fake.sent(user)).length === count, 10_000)
}

test('an idle timer of one second fires in the running process', async () => {
  const user = 'whatsapp:+15005580001'
  await service.post(messagesPath, toForm({ From: user }))
  await answered(user, 1)
  await until(async () => (await journalOf(user)).at(-1) === 'IDLE_TIMEOUT', 5_000)
  const [row] = await production.sql(`
    select extract(epoch from idle.occurred_at - answered.occurred_at)::float as seconds
    from duologue.conversation_state_history as idle
    join duologue.conversation_state_history as answered using (conversation_id)
    where idle.to_status = 'IDLE_TIMEOUT' and answered.to_status = 'PROGRESS'`)
  expect(row?.['seconds']).toBe(1)
})

test('a timer that became due while the process was down fires at the start, at the moment it was due', async () => {
  const user = 'whatsapp:+15005580002'
  await service.post(messagesPath, toForm({ From: user }))
  await answered(user, 1)
  await service.kill()
  await new Promise((resolve) => {
    setTimeout(resolve, 1_500)
  })
  service = await production.start()
  await until(async () => (await journalOf(user)).at(-1) === 'IDLE_TIMEOUT', 5_000)
})

test('a message that is in the log already wins over a timer that is due', async () => {
  const user = 'whatsapp:+15005580003'
  await service.post(messagesPath, toForm({ From: user }))
  await answered(user, 1)
  // Only the webhook runs: the message reaches the log, and nobody reads it while the timer becomes due.
  await service.stop()
  const webhook = await production.start({ DUOLOGUE_ROLES: 'webhook' })
  expect((await webhook.post(messagesPath, toForm({ From: user, Body: 'still here' }))).status).toBe(200)
  await new Promise((resolve) => {
    setTimeout(resolve, 1_500)
  })
  await webhook.stop()
  service = await production.start()
  await answered(user, 2)
  expect(await journalOf(user)).toEqual(['PENDING', 'PROGRESS'])
})
