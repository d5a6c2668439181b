/** Nodes that share a spool in a real database, each with a log of its own that can be cut off. */
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import type { Telemetry } from '../../../src/actors/ports.ts'
import type { SpoolStore } from '../../../src/actors/spool-store.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { openSpooling } from '../../../src/infra/spool/spooling-publisher.ts'
import type { SpoolingPublisher } from '../../../src/infra/spool/spooling-publisher.ts'
import { createSpoolStore } from '../../../src/infra/supabase/spool.ts'
import { backends, openTestDatabase, resetTestDatabase } from '../../support/database.ts'
import type { TestDatabase } from '../../support/database.ts'
import { toMessage } from '../../support/memory-world.ts'
import { until } from '../../support/service.ts'
import { bodiesOf, createSharedLog, openFlakyLog, pause } from './flaky-log.ts'
import type { FlakyLog, SharedLog } from './flaky-log.ts'

const user = 'whatsapp:+15005550006'
let messages = 0
const say = (body: string, from = user) => toMessage(from, body, `SM${(messages += 1)}`)

describe.each(backends)('the spool on %s', (backend) => {
  let database: TestDatabase
  let store: SpoolStore
  let shared: SharedLog
  let counts: Map<string, number>

  beforeAll(async () => {
    database = await openTestDatabase(backend)
    store = createSpoolStore(database.client)
  }, 120_000)
  beforeEach(async () => {
    await resetTestDatabase(database)
    shared = createSharedLog()
    counts = new Map()
  })
  afterAll(async () => database.close())

  function openNode(nodeId: string, options: { isAlone?: boolean; store?: SpoolStore; latencyMs?: number } = {}) {
    const log = openFlakyLog(shared, options.latencyMs)
    const telemetry: Telemetry = {
      count: (name, _labels, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
      observe() {},
      gauge() {},
      log() {},
    }
    const ports = { publisher: log, log, store: options.store ?? store, clock: processClock, telemetry, nodeId }
    const node = openSpooling({ ...ports, isAlone: options.isAlone ?? false })
    onTestFinished(async () => node.stop())
    return { node, log }
  }
  const phase = async () => (await store.spoolStatus()).phase

  test('what the log acknowledges is not spooled', async () => {
    const { node } = openNode('a')
    expect(await node.publish(say('1'))).toBe('logged')
    expect(bodiesOf(shared, user)).toEqual(['1'])
    expect(await store.spoolStatus()).toMatchObject({ phase: 'direct', size: 0 })
  })

  test('what it does not acknowledge is spooled, in order, and drained when it is back; then events go to it again', async () => {
    const { node, log } = openNode('a', { isAlone: true })
    log.cut()
    for (let index = 1; index <= 30; index += 1) expect(await node.publish(say(String(index)))).toBe('spooled')
    expect(await store.spoolStatus()).toMatchObject({ phase: 'spooling', size: 30 })
    expect(shared.entries).toEqual([])
    log.state = 'up'
    await until(async () => (await phase()) === 'direct', 10_000)
    expect(bodiesOf(shared, user)).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)))
    await until(async () => (await node.publish(say('after'))) === 'logged', 5_000)
    expect(await store.spoolStatus()).toMatchObject({ phase: 'direct', size: 0, oldestAt: null, drainer: null })
    expect([counts.get('spooled'), counts.get('drained')]).toEqual([30, 30])
  })

  test('a publication whose acknowledgement was lost is in the log once', async () => {
    const { node, log } = openNode('a', { isAlone: true })
    log.state = 'deaf'
    expect(await node.publish(say('1'))).toBe('spooled')
    log.state = 'up'
    await until(async () => (await phase()) === 'direct', 10_000)
    expect(bodiesOf(shared, user)).toEqual(['1'])
  })

  test('the same event twice is spooled once', async () => {
    const { node, log } = openNode('a', { isAlone: true })
    log.cut()
    const event = say('twice')
    expect([await node.publish(event), await node.publish(event)]).toEqual(['spooled', 'spooled'])
    expect((await store.spoolStatus()).size).toBe(1)
  })

  test('a log that is known to be down is not waited for', async () => {
    const { node, log } = openNode('a', { isAlone: true })
    log.state = 'silent'
    await node.publish(say('first'))
    const attempts = shared.attempts
    log.cut()
    await Promise.all(Array.from({ length: 50 }, async (_, index) => node.publish(say(String(index)))))
    expect(shared.attempts).toBe(attempts)
  })

  test('while one node is cut off from the log, the other one spools too, and drains', async () => {
    const [a, b] = [openNode('a'), openNode('b')]
    expect(await b.node.publish(say('0'))).toBe('logged')
    a.log.cut()
    expect(await a.node.publish(say('1'))).toBe('spooled')
    // `a` answered: `b` knows by now.
    expect(await b.node.publish(say('2'))).toBe('spooled')
    await until(() => bodiesOf(shared, user).length === 3, 10_000)
    expect(await phase()).toBe('spooling')
    a.log.state = 'up'
    await until(async () => (await phase()) === 'direct', 10_000)
    expect(bodiesOf(shared, user)).toEqual(['0', '1', '2'])
  })

  test('neither log nor database: the event is refused; with the database away alone it goes to the log', async () => {
    const silent = { ...store, watchSpool: reject, spoolEvents: reject, drainSpool: reject }
    const { node, log } = openNode('a', { store: silent })
    expect(await node.publish(say('1'))).toBe('logged')
    log.cut()
    await expect(node.publish(say('2'))).rejects.toThrow('could not spool an event')
  })

  test('an event that arrives after the answer to another one never stands before it, whatever fails when', async () => {
    // Slow enough that much arrives while the last page is being drained.
    const nodes = ['a', 'b', 'c'].map((nodeId) => openNode(nodeId, { latencyMs: 15 }))
    const users = Array.from({ length: 12 }, (_, index) => `whatsapp:+1500555${String(100 + index)}`)
    let isOver = false
    let spooled = 0
    const flapping = flap(
      nodes.map(({ log }) => log),
      () => isOver,
    )
    const sentBy = await Promise.all(users.map(async (from) => talk(from, nodes, 8_000, () => (spooled += 1))))
    isOver = true
    await flapping
    await until(async () => (await phase()) === 'direct', 20_000)
    for (const [index, from] of users.entries()) {
      expect(bodiesOf(shared, from)).toEqual(Array.from({ length: sentBy[index] ?? 0 }, (_, number) => String(number)))
    }
    expect(spooled).toBeGreaterThan(20)
    expect(sentBy.reduce((sum, count) => sum + count, 0) - spooled).toBeGreaterThan(20)
  })
})

async function reject(): Promise<never> {
  throw new Error('the database does not answer')
}

/** Says one thing after the other, each to any node and only when the one before was answered; answers how many. */
async function talk(
  from: string,
  nodes: readonly { readonly node: SpoolingPublisher }[],
  forMs: number,
  onSpooled: () => void,
): Promise<number> {
  const endsAt = performance.now() + forMs
  let sent = 0
  while (performance.now() < endsAt) {
    const event = say(String(sent), from)
    const { node } = nodes[Math.floor(Math.random() * nodes.length)]!
    try {
      if ((await node.publish(event)) === 'spooled') onSpooled()
      sent += 1
    } catch {
      // As Twilio would: the same message once more.
      await node.publish(event)
      sent += 1
    }
    await pause(Math.random() * 30)
  }
  return sent
}

/** Cuts logs off and brings them back at random, and leaves all of them up. */
async function flap(logs: readonly FlakyLog[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const log = logs[Math.floor(Math.random() * logs.length)]!
    const next = (['cut', 'silent', 'deaf'] as const)[Math.floor(Math.random() * 3)]!
    if (next === 'cut') log.cut()
    else log.state = next
    await pause(Math.random() * 400)
    log.state = 'up'
    await pause(Math.random() * 5_000)
  }
}
