/** A running Duologue with conversations that came through its webhook, and a proposed change of its machine beside it. */
import { fileURLToPath } from 'node:url'

import type { MessageItem } from '../../src/actors/read-model.ts'
import { findFreePort } from '../support/postgres.ts'
import { apiToken, makeTemporaryFolder, startFakeTwilio, startService, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

export const reviewToken = 'review-token-of-tests'

export type ReviewedService = {
  url(): string
  service(): ServiceProcess
  /** The link that signs in. */
  link(): string
  /** Ends it and starts it anew with another draft. */
  restart(draft: string): Promise<void>
  /** How many conversations have a message of the user that holds this. */
  countSaying(words: string): Promise<number>
  close(): Promise<void>
}

/** What users wrote first and then, and where that leads today. */
const lives = [
  ['hello', 'how much is it?', 'PROGRESS'],
  ['good morning', 'I want a refund', 'PROGRESS'],
  ['hi', 'I want to talk to a person', 'HUMAN_HANDOFF'],
  ['hello there', 'sair', 'USER_CLOSED'],
] as const

export async function startReviewedService(users: number): Promise<ReviewedService> {
  const folder = await makeTemporaryFolder()
  const fake = await startFakeTwilio()
  const port = await findFreePort()
  const start = async (draft: string): Promise<ServiceProcess> =>
    startService({
      dataDir: folder.path,
      fake,
      port,
      env: { DUOLOGUE_DRAFT: toPath(draft), DUOLOGUE_REVIEW_TOKEN: reviewToken },
    })
  let service = await start('draft-conversation')
  await converse(service, fake.say, users)
  return {
    url: () => service.url,
    service: () => service,
    link: () => /charts\s+(?<link>http\S+)/u.exec(service.output())?.groups?.['link'] ?? '',
    async restart(draft) {
      await service.stop()
      service = await start(draft)
    },
    countSaying: async (words) => {
      const ids = await listIds(service)
      const all = await Promise.all(ids.map(async (id) => readMessages(service, id)))
      return all.filter((messages) =>
        messages.some(({ direction, body }) => direction === 'inbound' && body.includes(words)),
      ).length
    },
    async close() {
      await service.stop()
      await fake.stop()
      await folder.remove()
    },
  }
}

async function converse(
  service: ServiceProcess,
  say: (from: string, body: string) => Promise<unknown>,
  users: number,
): Promise<void> {
  const people = Array.from({ length: users }, (_, place) => ({
    number: `whatsapp:+1500555${String(1_000 + place)}`,
    life: lives[place % lives.length] ?? lives[0],
  }))
  const count = async (status: string): Promise<number> =>
    (await service.json<{ items: unknown[] }>(`/api/conversations?status=${status}&limit=200`)).items.length
  for (const { number, life } of people) await say(number, life[0])
  await until(async () => (await count('PROGRESS')) === users, 60_000, () => 'not everybody was answered')
  for (const { number, life } of people) await say(number, life[1])
  const answered = async (): Promise<boolean> => {
    const expected = Map.groupBy(people, ({ life }) => life[2])
    for (const [status, those] of expected) if ((await count(status)) !== those.length) return false
    const ids = await listIds(service)
    const messages = await Promise.all(ids.map(async (id) => readMessages(service, id)))
    return messages.every((all) => all.filter(({ direction }) => direction === 'outbound').length >= 2)
  }
  await until(answered, 60_000, () => 'not everybody came where they were going')
}

async function listIds(service: ServiceProcess): Promise<readonly string[]> {
  const { items } = await service.json<{ items: { id: string }[] }>('/api/conversations?limit=200')
  return items.map(({ id }) => id)
}

async function readMessages(service: ServiceProcess, id: string): Promise<readonly MessageItem[]> {
  return (await service.json<{ items: MessageItem[] }>(`/api/conversations/${id}/messages?limit=200`)).items
}

function toPath(draft: string): string {
  return fileURLToPath(new URL(`../support/machines/${draft}.ts`, import.meta.url))
}

export const headers = { authorization: `Bearer ${apiToken}`, 'duologue-review-token': reviewToken }
