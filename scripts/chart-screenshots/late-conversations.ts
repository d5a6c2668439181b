/**
 * Conversations of which some are late: a tenant shortened its limit, and then the node that fires timers went away. The
 * pages are those of another node, with a draft beside it that renames a state.
 */
import { toPath } from '../../tests/browser/reviewed-service.ts'
import { createProduction } from '../../tests/support/production.ts'
import type { Production } from '../../tests/support/production.ts'
import { until } from '../../tests/support/service.ts'

const idleTimeoutMs = 45_000
const patient = 34
const hasty = 9

export async function startLateConversations() {
  const production = await createProduction()
  const owner = await production.start({ DUOLOGUE_ROLES: 'webhook,actors' })
  await converse(production)
  await owner.kill()
  const pages = await production.start({
    DUOLOGUE_ROLES: 'pages',
    DUOLOGUE_PUBLIC_URL: owner.url,
    DUOLOGUE_DRAFT: toPath('draft-conversation-renamed'),
  })
  const late = `select count(*)::int as count from duologue.conversations where next_timer_at < now()`
  await until(async () => Number((await production.sql(late))[0]?.['count']) >= hasty, 2 * idleTimeoutMs)
  const link = /charts\s+(?<link>http\S+)/u.exec(pages.output())?.groups?.['link'] ?? ''
  return { place: { url: pages.url, link }, close: async () => production.remove() }
}

async function converse({ fake, sql, set }: Production): Promise<void> {
  const numbers = (from: number, count: number): readonly string[] =>
    Array.from({ length: count }, (_, place) => `whatsapp:+1500558${String(from + place)}`)
  const count = async (condition: string): Promise<number> =>
    Number((await sql(`select count(*)::int as count from duologue.conversations where ${condition}`))[0]?.['count'])
  const untilCount = async (condition: string, expected: number): Promise<void> =>
    until(async () => (await count(condition)) === expected, 60_000)
  const first = numbers(1_000, patient)
  const waiting = `snapshot -> 'value' ->> 'PROGRESS' = 'waiting'`
  await Promise.all(first.map(async (user) => fake.say(user, 'hello')))
  await untilCount(waiting, patient)
  const [people, leavers] = [first.slice(0, 8), first.slice(8, 13)]
  await Promise.all(people.map(async (user) => fake.say(user, 'I want to talk to a person')))
  await Promise.all(leavers.map(async (user) => fake.say(user, 'sair')))
  await untilCount(`status = 'HUMAN_HANDOFF'`, people.length)
  await untilCount(`status = 'USER_CLOSED'`, leavers.length)
  await set({ idleTimeoutMs })
  await Promise.all(numbers(2_000, hasty).map(async (user) => fake.say(user, 'hello')))
  await untilCount(waiting, patient - people.length - leavers.length + hasty)
}
