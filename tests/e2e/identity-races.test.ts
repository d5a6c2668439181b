/**
 * What slips past the resolver, and what happens while an operator changes his mind: two nodes, and programs that publish
 * to the log themselves. Nothing is lost, nothing comes twice, and each person's messages stay in their order.
 */
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { toPublicationId } from '../../src/actors/logged-event.ts'
import type { LoggedMessage } from '../../src/actors/ports.ts'
import { toSessionKey } from '../../src/actors/session-key.ts'
import { toPublishedSubject } from '../../src/infra/nats/subjects.ts'
import { newPerson, readStored, say } from '../support/people.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { apiToken, business } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

let production: Production
let database: TcpProxy
let nats: NatsConnection
let one: ServiceProcess
let two: ServiceProcess

beforeAll(async () => {
  production = await createProduction()
  await production.set({ quietMs: 30, quietMaxMs: 60 })
  database = await openTcpProxy([Number(new URL(production.database.http?.url ?? '').port)])
  // The webhook of the first node loses the database when a test wants it; the second one owns what there is.
  two = await production.start({ DUOLOGUE_NODE_ID: 'two' })
  one = await production.start({
    DUOLOGUE_NODE_ID: 'one',
    DUOLOGUE_ROLES: 'webhook',
    SUPABASE_URL: `http://127.0.0.1:${database.port}`,
  })
  const { url, user, pass } = production.nats
  nats = await connect({ servers: url, user, pass })
}, 120_000)

afterAll(async () => {
  await nats?.close()
  await production?.remove()
  await database?.close()
})

let published = 0

/** As a program that knows nothing of links would put it on the log. */
async function publish(userKey: string, body: string, identities?: readonly string[]): Promise<void> {
  published += 1
  const event: LoggedMessage = {
    v: 1,
    type: 'message.received',
    businessAddress: business,
    userKey,
    ...(identities !== undefined && { identities }),
    replyAddress: identities?.[0] ?? userKey,
    providerId: `SM${String(published).padStart(32, '0')}`,
    body,
    media: [],
    profileName: null,
    receivedAt: Date.now(),
    raw: { From: identities?.[0] ?? userKey },
  }
  const subject = toPublishedSubject('message', toSessionKey(business, userKey))
  await jetstream(nats).publish(subject, JSON.stringify(event), { msgID: toPublicationId(event) })
}

async function command(path: string, body: object): Promise<number> {
  const response = await fetch(`${two.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.status
}

async function sessionOf(prefix: string): Promise<string> {
  const [id = ''] = (await readStored(production, prefix, 1)).keys()
  return id
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`)
}

describe('a message on the log under a key of another session', () => {
  test('goes to the session that the key leads to, in order and once, though its owner is killed meanwhile', async () => {
    const { phone, bsuid } = newPerson()
    await say(two, phone, 'killed 0', bsuid)
    const id = await sessionOf('killed ')
    for (const body of names('killed ', 300).slice(1)) {
      await publish(bsuid, body)
      if (body === 'killed 150') await two.kill()
    }
    two = await production.start({ DUOLOGUE_NODE_ID: 'two-again' })
    const sessions = await readStored(production, 'killed ', 300)
    expect([...sessions]).toEqual([[id, names('killed ', 300)]])
  }, 120_000)

  test('that was linked away goes on to the other one; that was parted goes back', async () => {
    const { phone, bsuid, newPhone, newBsuid } = newPerson()
    await say(two, phone, 'late one 0', bsuid)
    await say(two, newPhone, 'late two 0', newBsuid)
    const [into, from] = [await sessionOf('late one '), await sessionOf('late two ')]
    const order = { address: newPhone, operatorId: 'olga', reason: 'r' }
    expect(await command(`/api/sessions/${into}/link`, order)).toBe(200)
    await publish(newPhone, 'late two 1')
    await readStored(production, 'late two 1', 1)
    expect((await readStored(production, 'late ', 3)).get(into)).toEqual(['late one 0', 'late two 1'])
    expect(await command(`/api/sessions/${into}/unlink`, order)).toBe(200)
    await publish(phone, 'late two 2', [newPhone])
    await publish(phone, 'late one 1', [phone])
    await readStored(production, 'late ', 5)
    const sessions = await readStored(production, 'late ', 5)
    expect(sessions.get(into)).toEqual(['late one 0', 'late one 1'])
    expect(sessions.get(from)).toEqual(['late two 0', 'late two 1', 'late two 2'])
  }, 60_000)

  test('of a webhook that could not ask anybody is taken to where it belongs by the owner', async () => {
    const known = newPerson()
    const stranger = newPerson()
    await say(two, known.phone, 'silent known 0', known.bsuid)
    const id = await sessionOf('silent known ')
    // Its channel is known to the node before the database goes silent.
    await say(one, stranger.newPhone, 'silent warm 0', stranger.newBsuid)
    database.blackHole()
    try {
      await say(one, known.bsuid, 'silent known 1')
      await say(one, stranger.phone, 'silent stranger 0', stranger.bsuid)
      await say(one, stranger.bsuid, 'silent stranger 1')
      await say(one, known.bsuid, 'silent known 2')
    } finally {
      database.heal()
    }
    expect([...(await readStored(production, 'silent known ', 3))]).toEqual([[id, names('silent known ', 3)]])
    const strange = await readStored(production, 'silent stranger ', 2)
    expect([...strange.values()]).toEqual([names('silent stranger ', 2)])
    // What the owner learned beside the message is known to all.
    await say(two, stranger.bsuid, 'silent stranger 2')
    const later = await readStored(production, 'silent stranger ', 3)
    expect([...later.values()]).toEqual([names('silent stranger ', 3)])
  }, 60_000)
})

describe('while an operator links and parts two addresses, again and again', () => {
  test("two people write through two nodes: nothing is lost or comes twice, and each one's order stays", async () => {
    const [ana, bia] = [newPerson(), newPerson()]
    await say(two, ana.phone, 'moved ana 0', ana.bsuid)
    await say(two, bia.phone, 'moved bia 0', bia.bsuid)
    const [into, from] = [await sessionOf('moved ana '), await sessionOf('moved bia ')]
    let isOver = false
    const write = async ({ phone, bsuid }: typeof ana, name: string): Promise<number> => {
      let count = 1
      for (; !isOver; count += 1) {
        const service = count % 2 === 0 ? one : two
        if (count % 3 === 0) await say(service, bsuid, `moved ${name} ${count}`)
        else await say(service, phone, `moved ${name} ${count}`, bsuid)
      }
      return count
    }
    const writing = Promise.all([write(ana, 'ana'), write(bia, 'bia')])
    const order = { address: bia.phone, operatorId: 'olga', reason: 'r' }
    const answers: number[] = []
    for (let round = 0; round < 3; round += 1) {
      answers.push(await command(`/api/sessions/${into}/link`, order))
      answers.push(await command(`/api/sessions/${into}/unlink`, order))
    }
    isOver = true
    const [anas, bias] = await writing
    expect(answers).toEqual(Array(6).fill(200))
    const sessions = await readStored(production, 'moved ', anas + bias)
    expect(sessions.get(into)).toEqual(names('moved ana ', anas))
    expect(sessions.get(from)).toEqual(names('moved bia ', bias))
    expect(sessions.size).toBe(2)
    // Bia's messages wait while her keys are held, Ana's do not.
    expect(anas).toBeGreaterThan(50)
    expect(bias).toBeGreaterThan(6)
  }, 120_000)
})
