/**
 * How one process reaches the log and the store: a request, its execution over there, and an answer, each a task
 * of the scheduler. What is on its way survives the process that sent it; an answer to a dead one goes nowhere.
 */
import type { CommitBatch, EventLog, Store } from '../../../src/actors/ports.ts'
import { StoreRefused } from '../../../src/actors/ports.ts'
import type { SimulatedProcess } from '../engine/process.ts'
import type { Scheduler } from '../engine/scheduler.ts'
import { findDelivery, findKnownProviderIds, loadDue, recentMessages } from '../store/reading.ts'
import type { SimulatedStore } from '../store/simulated-store.ts'
import type { Faults } from './faults.ts'
import { incarnation } from './simulated-log.ts'
import type { SimulatedLog } from './simulated-log.ts'

export type LinkOptions = {
  readonly owner: SimulatedProcess
  readonly scheduler: Scheduler
  readonly faults: Faults
}

/** What a client waits for an answer, ms. */
const timeoutMs = 10_000

export type StoreState = { isDown: boolean; readonly store: SimulatedStore }

export type StoreLinkOptions = LinkOptions & {
  readonly lagMs: number
  /** Told of every commit that leaves; the answer tells what became of the attempt, as far as the process knows. */
  readonly onCommit: (batch: CommitBatch, text: string) => (outcome: 'answered' | 'refused' | 'unknown') => void
}

export function createStoreLink(options: StoreLinkOptions, server: StoreState): Store {
  const { faults, lagMs, onCommit } = options
  const { store } = server
  const call = <T>(name: string, execute: () => T | Promise<T>): Promise<T> => callStore(options, server, name, execute)
  return {
    claimPartitions: (request) => {
      const text = JSON.stringify(request)
      return call('claim', () => store.claim(JSON.parse(text) as typeof request))
    },
    releasePartitions: (nodeId, partitions) => call('release', () => store.release(nodeId, partitions)),
    loadSessions: (_partitions, requests) =>
      call('load', () => structuredCopy(store.load(requests, faults.happens('store-stale-read') ? lagMs : 0))),
    loadDue: (request) => call('due', () => loadDue(store.tables, request)),
    commitSteps: (batch) => {
      const text = JSON.stringify(batch)
      const ended = onCommit(batch, text)
      const answer = call('commit', () => store.commit(text))
      answer.then(
        () => ended('answered'),
        (error: unknown) => ended(error instanceof StoreRefused ? 'refused' : 'unknown'),
      )
      return answer
    },
    startEffects: (nodeId, leaseMs, partitions, effects) =>
      call('start', () => store.start({ nodeId, leaseMs, partitions, effects })),
    findDelivery: (effectId) => call('find', () => findDelivery(store.tables, effectId)),
    findKnownProviderIds: (channelId, providerIds) =>
      call('known', () => new Set(findKnownProviderIds(store.tables, channelId, providerIds))),
    recentMessages: (sessionId, limit) => call('recent', () => recentMessages(store.tables, sessionId, limit)),
    ping: () => call('ping', () => {}),
  }
}

function callStore<T>(
  { owner, scheduler, faults }: LinkOptions,
  server: StoreState,
  name: string,
  execute: () => T | Promise<T>,
): Promise<T> {
  const { random } = scheduler
  return new Promise((resolve, reject) => {
    const fail = (afterMs: number, reason: string): void =>
      void scheduler.after(owner, afterMs, `store ${name} fails`, () => reject(new Error(reason)))
    if (owner.isCutFromStore) return fail(timeoutMs, 'the store does not answer')
    const isLate = faults.happens('store-request-late')
    const requestMs = isLate ? random.int(timeoutMs / 2, timeoutMs * 2) : random.int(0, 3)
    // The client gives up; the request goes on all the same.
    if (isLate) fail(timeoutMs, 'the store did not answer in time')
    scheduler.after(null, requestMs, `store ${name}`, () => {
      if (server.isDown) return fail(random.int(0, 100), 'the store is down')
      if (faults.happens('store-error-before-commit')) return fail(random.int(0, 20), 'the connection was reset')
      const answered = Promise.resolve().then(execute)
      const isLost = faults.happens('store-answer-lost')
      const answerMs = faults.happens('store-slow') ? random.int(200, 4_000) : random.int(0, 5)
      answered.then(
        (answer) => {
          if (isLost || owner.isCutFromStore)
            fail(random.chance(0.5) ? random.int(0, 50) : timeoutMs, 'the answer was lost')
          else scheduler.after(owner, answerMs, `store answers ${name}`, () => resolve(answer))
        },
        (error: unknown) => {
          scheduler.after(owner, answerMs, `store refuses ${name}`, () => reject(toError(error)))
        },
      )
    })
  })
}

function toError(error: unknown): Error {
  return error instanceof StoreRefused ? error : new Error('the store failed', { cause: error })
}

/** What travels shares nothing with what is stored. */
function structuredCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

export function createLogLink({ owner, scheduler }: LinkOptions, log: SimulatedLog): EventLog {
  const { random } = scheduler
  const call = <T>(name: string, execute: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const fail = (afterMs: number): void =>
        void scheduler.after(owner, afterMs, `log ${name} fails`, () => reject(new Error('the log does not answer')))
      if (owner.isCutFromLog) return fail(5_000)
      scheduler.after(null, random.int(0, 3), `log ${name}`, () => {
        if (log.isDown) return fail(random.int(0, 2_000))
        const answer = execute()
        if (owner.isCutFromLog) fail(5_000)
        else scheduler.after(owner, random.int(0, 3), `log answers ${name}`, () => resolve(answer))
      })
    })
  return {
    describe: () =>
      call('describe', () => ({
        incarnation,
        firstSequence: 1,
        lastSequence: log.entries.length,
        partitions: log.byPartition.length,
      })),
    lastSequence: (partition) => call('last', () => log.lastSequence(partition)),
    read: (partition, afterSequence, deliver) => log.read(owner, partition, afterSequence, deliver),
  }
}
