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
  readonly dataDir: string
  /** The conversations that have a message of the user which holds this. */
  listSaying(words: string): Promise<readonly string[]>
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
    dataDir: folder.path,
    async listSaying(words) {
      const all = await readAllMessages(service)
      const says = ({ direction, body }: MessageItem): boolean => direction === 'inbound' && body.includes(words)
      return [...all].filter(([, messages]) => messages.some(says)).map(([id]) => id)
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
  const withinMs = 60_000 + users * 100
  const count = async (status: string): Promise<number> => (await listIds(service, `status=${status}&`)).length
  await inGroups(people, async ({ number, life }) => say(number, life[0]))
  await until(
    async () => (await count('PROGRESS')) === users,
    withinMs,
    () => 'not everybody was answered',
  )
  await inGroups(people, async ({ number, life }) => say(number, life[1]))
  const answered = async (): Promise<boolean> => {
    const expected = Map.groupBy(people, ({ life }) => life[2])
    for (const [status, those] of expected) if ((await count(status)) !== those.length) return false
    const messages = await readAllMessages(service)
    return [...messages.values()].every((all) => all.filter(({ direction }) => direction === 'outbound').length >= 2)
  }
  await until(answered, withinMs, () => 'not everybody came where they were going')
}

const atOnce = 25

async function inGroups<Item, Answer>(
  items: readonly Item[],
  act: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let from = 0; from < items.length; from += atOnce) {
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(act))))
  }
  return answers
}

async function listIds(service: ServiceProcess, filter = ''): Promise<readonly string[]> {
  const ids: string[] = []
  for (let cursor = ''; ;) {
    const page = await service.json<{ items: { id: string }[]; next: string | null }>(
      `/api/conversations?${filter}limit=200${cursor}`,
    )
    ids.push(...page.items.map(({ id }) => id))
    if (page.next === null) return [...new Set(ids)]
    cursor = `&cursor=${encodeURIComponent(page.next)}`
  }
}

async function readAllMessages(service: ServiceProcess): Promise<ReadonlyMap<string, readonly MessageItem[]>> {
  const ids = await listIds(service)
  const read = async (id: string): Promise<readonly [string, readonly MessageItem[]]> => {
    const { items } = await service.json<{ items: MessageItem[] }>(`/api/conversations/${id}/messages?limit=200`)
    return [id, items]
  }
  return new Map(await inGroups(ids, read))
}

export function toPath(draft: string): string {
  return fileURLToPath(new URL(`../support/machines/${draft}.ts`, import.meta.url))
}

export const headers = { authorization: `Bearer ${apiToken}`, 'duologue-review-token': reviewToken }
