import { expect, test } from 'vitest'

import type { LiveReadModel, ToWake } from '../../src/actors/live-read-model.ts'
import type { LoggedEvent } from '../../src/actors/ports.ts'
import { emptyMigrationMap } from '../../src/machines/migration-map.ts'
import { openWakes } from '../../src/parts/wakes.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'

const map = { ...emptyMigrationMap('parcel', '1', '2'), states: { 'PENDING.old': 'PENDING.rested' } }
/** Several looks; less than after which somebody is told again. */
const later = 12_000

/** Conversations that stand as a map says, page by page; what was told is read from the log. */
function createWorld() {
  const world = {
    clock: createVirtualClock(),
    standing: [] as string[],
    isReady: true,
    isDatabaseUp: true,
    isLogUp: true,
    looks: 0,
    told: [] as string[],
    warnings: [] as string[],
    parts: {
      database: {
        live: { listToWake: async (asked: Parameters<LiveReadModel['listToWake']>[0]) => list(asked.cursor) },
      },
      log: {
        publisher: {
          async publish(event: LoggedEvent) {
            if (!world.isLogUp) throw new Error('the log does not answer')
            if (event.type === 'command.issued') world.told.push(event.commandId)
            return { sequence: world.told.length, duplicate: false }
          },
        },
      },
      telemetry: { log: (_level: string, message: string) => void world.warnings.push(message) },
    },
  }
  /** Two on each page. */
  function list(cursor: string | null = null): ToWake {
    world.looks += 1
    if (!world.isDatabaseUp) throw new Error('the database does not answer')
    if (!world.isReady) return { isReady: false, items: [], next: null }
    const from = Number(cursor ?? 0)
    const items = world.standing
      .slice(from, from + 2)
      .map((id) => ({ id, businessAddress: 'whatsapp:+14155238886', userKey: `whatsapp:${id}` }))
    return { isReady: true, items, next: from + 2 < world.standing.length ? String(from + 2) : null }
  }
  return world
}

const toId = (name: string): string => `wake:${name}:1:2`

test('everybody whom a map wants to go on is told once, whoever comes later too', async () => {
  const world = createWorld()
  world.standing = ['a', 'b', 'c']
  const stop = openWakes(world.parts, [map], world.clock)
  await world.clock.advance(later)
  expect(world.told).toEqual(['a', 'b', 'c'].map(toId))
  world.standing = ['b', 'c', 'd']
  await world.clock.advance(later)
  expect(world.told).toEqual(['a', 'b', 'c', 'd'].map(toId))
  stop()
})

test('while an older node is live nobody is told', async () => {
  const world = createWorld()
  world.standing = ['a']
  world.isReady = false
  const stop = openWakes(world.parts, [map], world.clock)
  await world.clock.advance(later)
  expect(world.looks).toBeGreaterThan(2)
  expect(world.told).toEqual([])
  world.isReady = true
  await world.clock.advance(later)
  expect(world.told).toEqual([toId('a')])
  stop()
})

test('a database or a log that does not answer is said, and asked again', async () => {
  const world = createWorld()
  world.standing = ['a', 'b']
  world.isDatabaseUp = false
  const stop = openWakes(world.parts, [map], world.clock)
  await world.clock.advance(later)
  expect(new Set(world.warnings)).toEqual(new Set(['conversations of an older version could not be woken']))
  world.isDatabaseUp = true
  world.isLogUp = false
  await world.clock.advance(later)
  expect(world.told).toEqual([])
  world.isLogUp = true
  const before = world.warnings.length
  await world.clock.advance(later)
  expect(world.told).toEqual(['a', 'b'].map(toId))
  expect(world.warnings).toHaveLength(before)
  stop()
})

test('a map whose conversations cannot be read holds up no other one', async () => {
  const world = createWorld()
  world.standing = ['a']
  const { listToWake } = world.parts.database.live
  const live = {
    async listToWake(asked: Parameters<LiveReadModel['listToWake']>[0]) {
      if (asked.machine === 'broken') throw new Error('it cannot be read')
      return listToWake(asked)
    },
  }
  const stop = openWakes({ ...world.parts, database: { live } }, [{ ...map, machine: 'broken' }, map], world.clock)
  await world.clock.advance(later)
  expect(world.told).toEqual([toId('a')])
  expect(world.warnings.length).toBeGreaterThan(0)
  stop()
})

test('without a map nothing is asked, and after the stop neither', async () => {
  const world = createWorld()
  world.standing = ['a']
  openWakes(world.parts, [], world.clock)
  await world.clock.advance(later)
  expect(world.looks).toBe(0)
  const stop = openWakes(world.parts, [map], world.clock)
  stop()
  await world.clock.advance(later)
  expect(world.looks).toBe(0)
})

test('a stop while it looks is the last look', async () => {
  const world = createWorld()
  world.standing = ['a']
  const { listToWake } = world.parts.database.live
  const stop = openWakes(
    {
      ...world.parts,
      database: {
        live: {
          async listToWake(asked) {
            stop()
            return listToWake(asked)
          },
        },
      },
    },
    [map],
    world.clock,
  )
  await world.clock.advance(later)
  expect(world.looks).toBe(1)
})
