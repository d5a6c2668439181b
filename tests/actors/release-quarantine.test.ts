import { expect, test } from 'vitest'

import { Fold } from '../../src/actors/fold.ts'
import type { LoggedQuarantineRelease, ParkedEvent, ParkedQueue } from '../../src/actors/ports.ts'
import { drainQuarantine, releaseQuarantine } from '../../src/actors/release-quarantine.ts'
import type { WaitingEvent } from '../../src/actors/release-quarantine.ts'
import { createSessionState } from '../../src/actors/session-state.ts'
import type { Work } from '../../src/actors/take-step.ts'
import { toSessionKey } from '../../src/actors/session-key.ts'
import { businessAddress, toMessage } from '../support/memory-world.ts'

const userKey = 'whatsapp:+15005550006'

function queue(...kinds: ParkedEvent['kind'][]): ParkedQueue {
  const subject = `message.${toSessionKey(businessAddress, userKey)}`
  const events = kinds.map((kind, index) => ({
    quarantineId: `q${index}`,
    position: { incarnation: 'log', sequence: index + 2 },
    kind,
    subject,
    dataBase64: Buffer.from(JSON.stringify(toMessage(userKey, `text ${index}`, `SM${index}`))).toString('base64'),
    error: null,
    at: index,
  }))
  return { events, count: events.length }
}

function start(parked: ParkedQueue): {
  work: Work
  applied: string[]
  apply: (work: Work, waiting: WaitingEvent) => void
} {
  const channel = { tenantId: 't', channelId: 'c', businessAddress, settings: {} }
  const state = { ...createSessionState('s', channel, userKey), quarantined: true, parked }
  const context = {
    registry: {},
    commonVersions: {},
    defaultMachine: '',
    ids: { next: () => '' },
    now: 0,
    incarnation: 'log',
  }
  const applied: string[] = []
  return {
    work: { state, fold: new Fold(), context },
    applied,
    apply: (_work, waiting) =>
      void applied.push(waiting.kind === 'logged' && 'body' in waiting.event ? waiting.event.body : waiting.kind),
  }
}

const release = (quarantineId: string, action: 'retry' | 'skip' = 'retry'): LoggedQuarantineRelease => {
  const address = { businessAddress, userKey }
  return { v: 1, type: 'quarantine.released', ...address, commandId: 'c1', quarantineId, action, event: null }
}

test('a poisoned event behind the released one is not tried without a word of its own', () => {
  const { work, applied, apply } = start(queue('poison', 'waiting', 'poison', 'waiting'))
  releaseQuarantine(work, release('q0'), 0, apply)
  expect(applied).toEqual(['text 0', 'text 1'])
  expect(work.state).toMatchObject({ quarantined: true, parked: null })
  expect(work.fold.parked.map(({ kind }) => kind)).toEqual(['applied', 'applied'])
})

test('going on by itself stops at a poisoned event, too', () => {
  const { work, applied, apply } = start(queue('poison', 'waiting'))
  drainQuarantine(work, apply)
  expect([applied, work.state.quarantined, work.fold.isEmpty]).toEqual([[], true, true])
})

test('skipping the only waiting event releases the session', () => {
  const { work, applied, apply } = start(queue('poison'))
  releaseQuarantine(work, release('q0', 'skip'), 7, apply)
  expect([applied, work.state.quarantined]).toEqual([[], false])
  expect(work.fold.commands).toEqual([
    { commandId: 'c1', conversationId: null, outcome: 'applied', reason: null, status: null, version: null, at: 7 },
  ])
})

test('a waiting event whose bytes cannot be read is poison, and what is behind it waits', () => {
  const broken = queue('poison', 'waiting', 'waiting')
  const events = broken.events.map((event, index) => (index === 1 ? { ...event, dataBase64: 'AAEC' } : event))
  const { work, applied, apply } = start({ ...broken, events })
  releaseQuarantine(work, release('q0'), 0, apply)
  expect(applied).toEqual(['text 0'])
  expect(work.fold.parked.map(({ kind }) => kind)).toEqual(['applied', 'poison'])
})
