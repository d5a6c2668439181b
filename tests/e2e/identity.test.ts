/** Who is who: one person under changing addresses, in order, against the running service behind signed webhooks. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { runCommand } from '../support/command.ts'
import { newPerson, readInbound, readStored, say as tell } from '../support/people.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { apiToken, business, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'

type Row = Record<string, unknown>

let production: Production
let service: ServiceProcess

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 30, quietMaxMs: 60 })
  service = await production.start()
}, 120_000)
afterAll(async () => production?.remove())

const say = async (from: string, body: string, externalUserId?: string) => tell(service, from, body, externalUserId)
const inbound = async (where: string) => readInbound(production, where)
const stored = async (prefix: string, count: number) => readStored(production, prefix, count)

async function command(path: string, body: object): Promise<{ status: number; body: Row }> {
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Row }
}

async function sessionOf(prefix: string): Promise<string> {
  const [id] = (await stored(prefix, 1)).keys()
  return id ?? ''
}

describe('one person under changing addresses', () => {
  test('by phone today, by the business-scoped id tomorrow, with a new number later: one history, in order', async () => {
    const { phone, bsuid, newPhone } = newPerson()
    const messages = [
      [phone, bsuid],
      [bsuid, bsuid],
      [phone, bsuid],
      [newPhone, bsuid],
      [bsuid, bsuid],
      [newPhone, bsuid],
      [phone, bsuid],
    ] as const
    for (const [index, [from, id]] of messages.entries()) await say(from, `changing ${index}`, id)
    const sessions = await stored('changing ', messages.length)
    expect([...sessions.values()]).toEqual([messages.map((_, index) => `changing ${index}`)])
    const [first] = await inbound(`message.body like 'changing %'`)
    expect(first).toMatchObject({ user_key: phone, reply_address: phone })
  })

  test('the address that is answered is that of the newest message, as it came', async () => {
    const old = 'whatsapp:+551187654321'
    const bsuid = 'whatsapp:BR.4711'
    await say(old, 'address 0', bsuid)
    await stored('address ', 1)
    const [row] = await inbound(`message.body = 'address 0'`)
    expect(row).toMatchObject({ user_key: 'whatsapp:+5511987654321', reply_address: old })
    await say(bsuid, 'address 1', bsuid)
    await stored('address ', 2)
    await until(
      async () => (await production.fake.sent(bsuid)).length > 0,
      20_000,
      () => 'nothing was sent to the id',
    )
    expect((await inbound(`message.body = 'address 1'`))[0]).toMatchObject({ reply_address: bsuid })
  })

  test('a status callback under the id alone reaches the session of the message', async () => {
    const { phone, bsuid } = newPerson()
    await say(phone, 'callback 0', bsuid)
    const sessionId = await sessionOf('callback ')
    await until(
      async () => (await production.fake.sent(phone)).length > 0,
      20_000,
      () => 'nothing was sent',
    )
    const sid = `SM${'c'.repeat(32)}`
    const form = {
      AccountSid: `AC${'1'.repeat(32)}`,
      MessageSid: sid,
      MessageStatus: 'read',
      From: business,
      To: bsuid,
    }
    const response = await service.post('/webhooks/twilio/status', { ...form, ExternalUserId: bsuid })
    expect(response.status).toBe(200)
    let rows: readonly Row[] = []
    await until(
      async () => {
        rows = await production.sql(`select session_id from duologue.deliveries where provider_id = '${sid}'`)
        return rows.length > 0
      },
      20_000,
      () => 'the callback was not stored',
    )
    expect(rows).toEqual([{ session_id: sessionId }])
  })

  test('200 users whose first message under the id alone comes with one that carries both: one session each, in order', async () => {
    const users = Array.from({ length: 200 }, newPerson)
    await Promise.all(
      users.flatMap(({ phone, bsuid }, index) => {
        const alone = say(bsuid, `race ${index} a0`)
        const both = say(phone, `race ${index} b0`, bsuid)
        const next = async (): Promise<void> => {
          await both
          await say(bsuid, `race ${index} b1`)
          await say(phone, `race ${index} b2`, bsuid)
        }
        return [alone, next()]
      }),
    )
    const sessions = await stored('race ', users.length * 4)
    const all = [...sessions.values()].flat()
    expect(all).toHaveLength(users.length * 4)
    expect(new Set(all).size).toBe(users.length * 4)
    expect(sessions.size).toBe(users.length)
    for (const bodies of sessions.values()) {
      const [, user] = bodies[0]?.split(' ') ?? []
      expect(bodies.every((body) => body.startsWith(`race ${user} `))).toBe(true)
      expect(bodies.filter((body) => body.includes(' b'))).toEqual([0, 1, 2].map((step) => `race ${user} b${step}`))
    }
  }, 120_000)
})

describe('an operator', () => {
  test('links two sessions: one conversation closes with the link as its reason, the other has both histories', async () => {
    const { phone, bsuid, newPhone, newBsuid } = newPerson()
    await say(phone, 'merge old 0', bsuid)
    await say(newPhone, 'merge new 0', newBsuid)
    const [into, from] = [await sessionOf('merge old '), await sessionOf('merge new ')]
    expect(into).not.toBe(from)
    const order = { address: newPhone, operatorId: 'olga', reason: 'she called us' }
    const linked = await command(`/api/sessions/${into}/link`, order)
    expect(linked).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    const closedId = String(linked.body['closedConversationId'])
    const history = await service.json<{ items: Row[] }>(`/api/conversations/${closedId}/history`)
    expect(history.items.at(-1)).toMatchObject({ toStatus: 'SUPPORT_CLOSED', initiator: 'operator:olga' })
    expect(String(history.items.at(-1)?.['reason'])).toContain(`linked to session ${into}: she called us`)

    await say(newBsuid, 'merge new 1')
    await say(newPhone, 'merge new 2', newBsuid)
    const sessions = await stored('merge ', 4)
    expect(sessions.get(into)).toEqual(['merge old 0', 'merge new 1', 'merge new 2'])
    const session = await service.json<Row>(`/api/sessions/${into}`)
    expect(session['links']).toMatchObject([{ operatorId: 'olga', reason: 'she called us', unlinkedAt: null }])
    const said = await service.json<{ items: Row[] }>(`/api/sessions/${into}/messages`)
    const heard = said.items.filter(({ direction }) => direction === 'inbound').map(({ body }) => body)
    expect(heard).toEqual(['merge old 0', 'merge new 0', 'merge new 1', 'merge new 2'])
    expect(await service.json<Row>(`/api/sessions/${from}`)).toMatchObject({ linkedTo: into })
    const open = await service.json<{ items: Row[] }>(`/api/conversations?address=${encodeURIComponent(newPhone)}`)
    expect(open.items.map(({ sessionId }) => sessionId)).toContain(into)
  }, 60_000)

  test('undoes a wrong link: the messages of each person, and the answers to them, are back where they belong', async () => {
    const one = newPerson()
    const other = newPerson()
    await say(one.phone, 'wrong one 0', one.bsuid)
    await say(other.phone, 'wrong other 0', other.bsuid)
    const [into, from] = [await sessionOf('wrong one '), await sessionOf('wrong other ')]
    const order = { address: other.phone, operatorId: 'olga', reason: 'the same surname' }
    expect((await command(`/api/sessions/${into}/link`, order)).status).toBe(200)
    for (const [person, name] of [
      [one, 'one'],
      [other, 'other'],
      [one, 'one'],
      [other, 'other'],
    ] as const) {
      const count = (await inbound(`message.body like 'wrong ${name} %'`)).length
      await say(person.phone, `wrong ${name} ${count}`, person.bsuid)
      await stored(`wrong ${name} `, count + 1)
    }
    expect((await stored('wrong ', 6)).get(into)).toHaveLength(5)
    // The last answer goes to whoever wrote last.
    const answersTo = async (sessionId: string) =>
      production.sql(
        `select message.id from duologue.messages as message where direction = 'outbound' and session_id = '${sessionId}'`,
      )
    await until(
      async () => (await answersTo(into)).length >= 2,
      20_000,
      () => 'nobody was answered',
    )

    const undo = { address: other.phone, operatorId: 'oskar', reason: 'two people' }
    const undone = await command(`/api/sessions/${into}/unlink`, undo)
    expect(undone).toMatchObject({ status: 200, body: { outcome: 'applied', sessionId: from } })
    const sessions = await stored('wrong ', 6)
    expect(sessions.get(into)).toEqual(['wrong one 0', 'wrong one 1', 'wrong one 2'])
    expect(sessions.get(from)).toEqual(['wrong other 0', 'wrong other 1', 'wrong other 2'])
    const keys = await production.sql(
      `select user_key, reply_address from duologue.sessions where id in ('${into}', '${from}') order by user_key`,
    )
    expect(keys).toEqual([one, other].map(({ phone }) => ({ user_key: phone, reply_address: phone })))
    const session = await service.json<{ links: Row[] }>(`/api/sessions/${into}`)
    expect(session.links).toMatchObject([{ operatorId: 'olga', unlinkedBy: 'oskar', unlinkReason: 'two people' }])

    await say(other.bsuid, 'wrong other 3')
    await say(one.bsuid, 'wrong one 3')
    await say(other.phone, 'wrong other 4', other.bsuid)
    const after = await stored('wrong ', 9)
    expect(after.get(into)).toEqual([0, 1, 2, 3].map((step) => `wrong one ${step}`))
    expect(after.get(from)).toEqual([0, 1, 2, 3, 4].map((step) => `wrong other ${step}`))
    await until(
      async () =>
        (await production.sql(`select from duologue.conversations where session_id = '${from}' and closed_at is null`))
          .length === 1,
      20_000,
      () => 'the other person has no conversation of her own again',
    )
  }, 90_000)

  test('parts an address that a message had brought along: it gets a session of its own, with its messages', async () => {
    const { phone, bsuid } = newPerson()
    await say(phone, 'part phone 0', bsuid)
    const into = await sessionOf('part phone ')
    await say(bsuid, 'part id 0')
    await say(phone, 'part phone 1', bsuid)
    expect((await stored('part ', 3)).size).toBe(1)
    const undo = { address: bsuid, operatorId: 'oskar', reason: 'the number was given to somebody else' }
    const undone = await command(`/api/sessions/${into}/unlink`, undo)
    expect(undone).toMatchObject({ status: 200, body: { outcome: 'applied' } })
    await say(bsuid, 'part id 1')
    const sessions = await stored('part ', 4)
    expect(sessions.get(into)).toEqual(['part phone 0', 'part phone 1'])
    expect(sessions.get(String(undone.body['sessionId']))).toEqual(['part id 0', 'part id 1'])
  }, 60_000)

  test('does the same at the command line, where the record says who it was', async () => {
    const { phone, bsuid, newPhone, newBsuid } = newPerson()
    await say(phone, 'line one 0', bsuid)
    await say(newPhone, 'line two 0', newBsuid)
    const into = await sessionOf('line one ')
    const env = { DUOLOGUE_API_TOKEN: apiToken }
    const run = async (...words: string[]) => runCommand(['session', ...words, '--url', service.url], env)
    expect(await run('link', into, newPhone, '--operator', 'olga', '--reason', 'r')).toMatchObject({ exitCode: 0 })
    expect(await run('link', into, newPhone, '--operator', 'olga')).toMatchObject({ exitCode: 1 })
    await say(newBsuid, 'line two 1')
    await stored('line ', 3)
    const parted = await run('unlink', into, newPhone, '--operator', 'oskar')
    expect(parted).toMatchObject({ exitCode: 0, stderr: '' })
    const { stdout } = await run('show', into)
    expect(stdout).toMatch(/by olga, undone by oskar/u)
    expect((await stored('line ', 3)).get(into)).toEqual(['line one 0'])
  }, 60_000)

  test('says before the first message that a new number is the same person', async () => {
    const { phone, newPhone, newBsuid, bsuid } = newPerson()
    await say(phone, 'announced 0', bsuid)
    const into = await sessionOf('announced ')
    const order = { address: newPhone, operatorId: 'olga', reason: 'she told us' }
    expect((await command(`/api/sessions/${into}/link`, order)).status).toBe(200)
    await say(newPhone, 'announced 1', newBsuid)
    await say(newBsuid, 'announced 2')
    expect((await stored('announced ', 3)).get(into)).toEqual(['announced 0', 'announced 1', 'announced 2'])
  }, 60_000)

  test('is refused with a reason: an address of the session itself, one that is not linked, a session that is not there', async () => {
    const { phone, bsuid } = newPerson()
    await say(phone, 'refused 0', bsuid)
    const id = await sessionOf('refused ')
    const order = { address: phone, operatorId: 'olga' }
    expect(await command(`/api/sessions/${id}/link`, order)).toMatchObject({ status: 409 })
    expect(await command(`/api/sessions/${id}/unlink`, order)).toMatchObject({ status: 409 })
    const nobody = { address: 'whatsapp:+15009990000', operatorId: 'olga' }
    expect(await command(`/api/sessions/${id}/unlink`, nobody)).toMatchObject({ status: 409 })
    const nowhere = '0198c0de-0000-7000-8000-00000000dead'
    expect(await command(`/api/sessions/${nowhere}/link`, order)).toMatchObject({ status: 404 })
    expect(await command(`/api/sessions/${id}/link`, { address: 'x', operatorId: 'olga' })).toMatchObject({
      status: 400,
    })
  })
})
