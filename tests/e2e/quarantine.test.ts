/** A session that is poisoned by hand, and a person who lets it go on: by the API and by the command line. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCommand } from '../support/command.ts'
import { createProduction, messagesPath, toForm } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { apiToken, makeTemporaryFolder, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

let production: Production
let service: ServiceProcess
let env: { readonly [name: string]: string }
let users = 0

type Item = { readonly id: string; readonly kind: string; readonly attempts: number; readonly error: string | null }

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 100 })
  service = await production.start()
  env = { DUOLOGUE_API_TOKEN: apiToken, DUOLOGUE_PORT: new URL(service.url).port }
}, 120_000)

afterAll(async () => {
  await production.remove()
})

async function answers(user: string, count: number): Promise<void> {
  await until(async () => (await production.fake.sent(user)).length === count, 10_000)
}

async function say(user: string, body: string): Promise<void> {
  expect((await service.post(messagesPath, toForm({ From: user, Body: body }))).status).toBe(200)
}

async function setState(user: string, value: string): Promise<void> {
  // Only a superuser who switches the triggers off can write it.
  await production.sql(
    `
    with off as (select set_config('session_replication_role', 'replica', true))
    update duologue.conversations set snapshot = jsonb_set(snapshot, '{value}', $2::text::jsonb)
    from off, duologue.sessions as session where session.id = session_id and session.user_key = $1`,
    [user, value],
  )
}

async function waiting(user: string): Promise<readonly Item[]> {
  const { items } = await service.json<{ items: readonly (Item & { sessionId: string })[] }>(
    '/api/quarantine?limit=200',
  )
  const [session] = await production.sql('select id from duologue.sessions where user_key = $1', [user])
  return items.filter(({ sessionId }) => sessionId === session?.['id'])
}

async function post(path: string, body?: object): Promise<{ status: number; body: { [field: string]: unknown } }> {
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as { [field: string]: unknown } }
}

/** A user whose snapshot cannot be restored, and whose two later messages wait. */
async function poison(): Promise<{ user: string; value: string; first: Item; second: Item }> {
  users += 1
  const user = `whatsapp:+1500558${String(users).padStart(4, '0')}`
  await say(user, 'hello')
  await answers(user, 1)
  const [row] = await production.sql(
    `select snapshot -> 'value' as value from duologue.conversations
    join duologue.sessions as session on session.id = session_id where user_key = $1`,
    [user],
  )
  // A node that has it in memory would not look: it is restarted, as after a deploy that broke something.
  await service.stop()
  await setState(user, '"GONE"')
  service = await production.start()
  env = { ...env, DUOLOGUE_PORT: new URL(service.url).port }
  await say(user, 'first')
  await say(user, 'second')
  await until(async () => (await waiting(user)).length === 2, 10_000)
  const [first, second] = await waiting(user)
  if (first === undefined || second === undefined) throw new Error('nothing waits')
  return { user, value: JSON.stringify(row?.['value']), first, second }
}

describe('a session in quarantine', () => {
  test('is shown, tried in vain, repaired, and goes on with everything that waited', { timeout: 90_000 }, async () => {
    const { user, value, first, second } = await poison()
    expect([first.kind, second.kind]).toEqual(['poison', 'waiting'])
    const shown = await service.json<{ event: unknown; firstId: string }>(`/api/quarantine/${first.id}`)
    expect(shown).toMatchObject({ firstId: first.id, event: { type: 'message.received', body: 'first' } })

    const inVain = await post(`/api/quarantine/${first.id}/retry`)
    expect(inVain).toMatchObject({
      status: 409,
      body: { outcome: 'refused', detail: expect.stringContaining('GONE') as unknown },
    })
    expect((await waiting(user)).map(({ attempts, kind }) => [attempts, kind])).toEqual([
      [1, 'poison'],
      [0, 'waiting'],
    ])
    expect(await post(`/api/quarantine/${second.id}/skip`)).toMatchObject({
      status: 409,
      body: { detail: `the event waits behind ${first.id}` },
    })

    await setState(user, value)
    const applied = await post(`/api/quarantine/${first.id}/retry`)
    expect(applied).toMatchObject({ status: 200, body: { outcome: 'applied', status: 'PROGRESS' } })
    await answers(user, 2)
    const [, answer] = await production.fake.sent(user)
    expect(answer?.body).toBeDefined()
    const bodies = await production.sql(
      `select body from duologue.messages join duologue.sessions as session on session.id = session_id
      where user_key = $1 and direction = 'inbound' order by messages.id`,
      [user],
    )
    expect(bodies.map(({ body }) => body)).toEqual(['hello', 'first', 'second'])
    expect(await waiting(user)).toEqual([])
    expect(await post(`/api/quarantine/${first.id}/retry`)).toMatchObject({
      status: 409,
      body: { detail: 'the event is applied already' },
    })
    await say(user, 'and now')
    await answers(user, 3)
    const [row] = await production.sql('select quarantined_at from duologue.sessions where user_key = $1', [user])
    expect(row).toEqual({ quarantined_at: null })
  })

  test('goes on without an event that is skipped, by the command line', { timeout: 90_000 }, async () => {
    const { user, value, first } = await poison()
    await setState(user, value)
    const url = ['--url', service.url]
    const listed = await runCommand(['quarantine', 'list', ...url], env)
    expect(listed.stdout).toContain(`poison   ${first.id}  partition `)
    expect(listed.stdout).not.toContain(user)
    const shown = await runCommand(['quarantine', 'show', first.id, ...url], env)
    expect(shown.stdout).toContain(`release it with: quarantine retry|skip|edit ${first.id}`)
    const skipped = await runCommand(['quarantine', 'skip', first.id], env)
    expect([skipped.exitCode, skipped.stderr]).toEqual([0, ''])
    await answers(user, 2)
    const bodies = await production.sql(
      `select body from duologue.messages join duologue.sessions as session on session.id = session_id
      where user_key = $1 and direction = 'inbound' order by messages.id`,
      [user],
    )
    expect(bodies.map(({ body }) => body)).toEqual(['hello', 'second'])
    const again = await runCommand(['quarantine', 'skip', first.id], env)
    expect([again.exitCode, again.stdout]).toEqual([1, 'not applied: the event is skipped already\n'])
  })

  test('takes an event as it was edited, if it is one of its own', { timeout: 90_000 }, async () => {
    const { user, value, first } = await poison()
    await setState(user, value)
    const { event } = await service.json<{ event: { [field: string]: unknown } }>(`/api/quarantine/${first.id}`)
    const edit = `/api/quarantine/${first.id}/edit`
    expect(await post(edit, {})).toMatchObject({ status: 400 })
    expect(await post(edit, { event: { ...event, type: 'xstate.done.actor.draftReply' } })).toMatchObject({
      status: 400,
    })
    expect(await post(edit, { event: { ...event, body: 7 } })).toMatchObject({
      status: 400,
      body: { detail: expect.stringMatching(/^event\.body: /u) as unknown },
    })
    expect(await post(edit, { event: { ...event, userKey: 'whatsapp:+15005550001' } })).toMatchObject({
      status: 400,
      body: { detail: 'event: it must be of the same businessAddress and userKey' },
    })
    const folder = await makeTemporaryFolder()
    const file = join(folder.path, 'event.json')
    await writeFile(file, JSON.stringify({ ...event, body: 'edited' }))
    const edited = await runCommand(['quarantine', 'edit', first.id, file, '--json'], env)
    await folder.remove()
    expect(JSON.parse(edited.stdout)).toMatchObject({ outcome: 'applied' })
    await answers(user, 2)
    const bodies = await production.sql(
      `select body from duologue.messages join duologue.sessions as session on session.id = session_id
      where user_key = $1 and direction = 'inbound' order by messages.id`,
      [user],
    )
    expect(bodies.map(({ body }) => body)).toEqual(['hello', 'edited', 'second'])
  })
})

test('what is not there, and who may not ask', async () => {
  const unknown = '01890000-0000-7000-8000-000000000000'
  expect((await service.get(`/api/quarantine/${unknown}`)).status).toBe(404)
  expect((await service.get('/api/quarantine/42')).status).toBe(400)
  expect((await service.get('/api/quarantine?limit=0')).status).toBe(400)
  expect(await post(`/api/quarantine/${unknown}/retry`)).toMatchObject({ status: 404 })
  expect((await fetch(`${service.url}/api/quarantine`)).status).toBe(401)
  expect((await fetch(`${service.url}/api/quarantine/${unknown}/skip`, { method: 'POST' })).status).toBe(401)
})

test('what is stored is checked against this build: good, and bad when somebody stands where it cannot go on', async () => {
  const { url = '', secretKey = '' } = production.database.http ?? {}
  const store = { SUPABASE_URL: url, SUPABASE_SECRET_KEY: secretKey, DUOLOGUE_PORT: '0' }
  const good = await runCommand(['check', '--json'], store)
  const report = JSON.parse(good.stdout) as {
    outcome: string
    inFlight: { machines: readonly { machine: string; total: number; dryRun: object }[] }
  }
  expect([good.exitCode, report.outcome]).toEqual([0, 'ok'])
  const [own] = report.inFlight.machines
  expect(own?.machine).toBe('conversation')
  expect(own?.total).toBeGreaterThan(0)
  const { user, value } = await poison()
  const bad = await runCommand(['check'], store)
  expect(bad.exitCode).toBe(1)
  expect(bad.stdout).toMatch(/conversation \d+ GONE: 1 \(1 open\), blocked: .*GONE/u)
  expect(bad.stdout).toMatch(/\d+ ok, 0 mapped, 1 blocked\n$/u)
  await setState(user, value)
}, 90_000)

test('with a stopped service a release says what to do', async () => {
  await service.stop()
  const { exitCode, stderr } = await runCommand(['quarantine', 'retry', '01890000-0000-7000-8000-000000000000'], env)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`could not reach a Duologue at http://127.0.0.1:${env['DUOLOGUE_PORT']}: start it first`)
})
