import { expect, test } from 'vitest'

import type { LogStateStore } from '../../../src/actors/log-state-store.ts'
import type { LoggedEvent, Telemetry } from '../../../src/actors/ports.ts'
import { processClock } from '../../../src/infra/process/clock.ts'
import { reconcile } from '../../../src/infra/spool/reconcile.ts'
import { createReconciliation } from '../../../src/infra/spool/reconciliation.ts'
import { businessAddress, toMessage } from '../../support/memory-world.ts'

const silent: Telemetry = { count() {}, observe() {}, gauge() {}, log() {} }
const listed = Array.from({ length: 1_200 }, (_, index) =>
  toMessage(`whatsapp:+1500555${1_000 + (index % 30)}`, String(index), `SM${index}`),
)

test('what the store knows is not published again; the rest is, each session in the order of the list', async () => {
  const published: LoggedEvent[] = []
  const asked: number[] = []
  const result = await reconcile(
    {
      listReceived: async () => listed,
      findKnown: async (_address, ids) => {
        asked.push(ids.length)
        return new Set(ids.filter((id) => Number(id.slice(2)) % 3 === 0))
      },
      publish: async (event) => void published.push(event),
      telemetry: silent,
    },
    0,
  )
  expect(result).toMatchObject({ listed: 1_200, known: 400 })
  expect(result.recovered).toHaveLength(800)
  expect(asked).toEqual([500, 500, 200])
  const sessions = Map.groupBy(published, ({ userKey }) => userKey)
  expect(sessions.size).toBe(20)
  for (const own of sessions.values()) {
    const numbers = own.map((event) => (event.type === 'message.received' ? Number(event.body) : -1))
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
  }
})

test('messages to an address that is no channel are left alone', async () => {
  const publish = async (): Promise<never> => {
    throw new Error('published')
  }
  const result = await reconcile(
    { listReceived: async () => listed.slice(0, 2), findKnown: async () => null, publish, telemetry: silent },
    0,
  )
  expect(result.recovered).toEqual([])
  expect(listed[0]?.businessAddress).toBe(businessAddress)
})

test('a due reconciliation is tried until the provider answers, by one for all that wait', async () => {
  let isDue = true
  let tries = 0
  const state: Pick<LogStateStore, 'claimReconciliation' | 'finishReconciliation'> = {
    claimReconciliation: async () => ({ since: isDue ? 42 : null, incidents: 1, isMine: true }),
    finishReconciliation: async () => {
      isDue = false
      return { isDone: true }
    },
  }
  const logged: string[] = []
  const hasty = { ...processClock, schedule: (_delayMs: number, task: () => void) => processClock.schedule(1, task) }
  const { reconciled } = createReconciliation({
    state,
    reconcile: async (since) => {
      tries += 1
      expect([since, isDue]).toEqual([42, true])
      if (tries < 3) throw new Error('Twilio does not answer')
      return { listed: 0, known: 0, recovered: [] }
    },
    clock: hasty,
    telemetry: { ...silent, log: (level) => void logged.push(level) },
    nodeId: 'a',
  })
  await Promise.all([reconciled(), reconciled(), reconciled()])
  expect([tries, isDue]).toEqual([3, false])
  expect(logged.filter((level) => level === 'error')).toHaveLength(2)
  await reconciled()
  expect(tries).toBe(3)
})
