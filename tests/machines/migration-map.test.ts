/** Where conversations of an older version go on, as data. */
import { createMachine } from 'xstate'
import { describe, expect, test } from 'vitest'

import { applyMigrations } from '../../src/actors/migrate-snapshot.ts'
import {
  applyMigrationMap,
  emptyMigrationMap,
  findPlace,
  migrationMapSchemaName,
  readMigrationMap,
  toNewPlace,
  toPlaces,
  withMigrationMaps,
} from '../../src/machines/migration-map.ts'
import type { MachineRegistration, OlderVersion, PersistedSnapshot } from '../../src/machines/registry.ts'
import { surveyOne, surveyTwo } from '../support/machines/survey.ts'

const machine = createMachine({
  id: 'parcel',
  version: '3',
  initial: 'A',
  states: {
    A: { initial: 'one', states: { one: {}, two: {}, last: { type: 'history' } } },
    B: {},
    P: {
      type: 'parallel',
      states: { left: { initial: 'x', states: { x: {}, y: {} } }, right: { initial: 'u', states: { u: {}, v: {} } } },
    },
  },
})

const whole = {
  schema: migrationMapSchemaName,
  machine: 'parcel',
  from: '1',
  to: '2',
  states: { OLD: 'A' },
  sources: { write: 'compose' },
  arm: ['A.two'],
  drop: ['xstate.after.9.parcel.B'],
}

function snapshotOf(
  value: PersistedSnapshot['value'],
  historyValue: PersistedSnapshot['historyValue'] = {},
): PersistedSnapshot {
  return { status: 'active', value, context: { kept: true }, historyValue, children: {} }
}

describe('a map is read', () => {
  test('whole, or with what it leaves out empty', () => {
    expect(readMigrationMap(whole)).toEqual(whole)
    const { schema, from, to } = whole
    expect(readMigrationMap({ schema, machine: 'parcel', from, to, colour: 'red' })).toEqual(
      emptyMigrationMap('parcel', '1', '2'),
    )
    expect(emptyMigrationMap('parcel', '1', '2')).toEqual({ ...whole, states: {}, sources: {}, arm: [], drop: [] })
  })

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'not a map of duologue.migration/1'],
    ['null', null, 'not a map of duologue.migration/1'],
    ['of another form', { ...whole, schema: 'duologue.migration/2' }, 'not a map of duologue.migration/1'],
    ['of no machine', { ...whole, machine: '' }, 'a migration map names machine, from and to'],
    ['from nowhere', { ...whole, from: 1 }, 'a migration map names machine, from and to'],
    ['to nowhere', { ...whole, to: null }, 'a migration map names machine, from and to'],
    [
      'of a name that is too long',
      { ...whole, machine: 'x'.repeat(513) },
      'a migration map names machine, from and to',
    ],
    ['to where it is from', { ...whole, to: '1' }, 'a migration map leads from one version to another'],
    ...[null, 'A', 7, ['A'], { OLD: 7 }, { OLD: '' }, { '': 'A' }, { OLD: 'x'.repeat(513) }, entries(1_001)].flatMap(
      (wrong): [string, unknown, string][] => [
        [`with states like ${toText(wrong)}`, { ...whole, states: wrong }, 'states and sources lead from text to text'],
        [
          `with sources like ${toText(wrong)}`,
          { ...whole, sources: wrong },
          'states and sources lead from text to text',
        ],
      ],
    ),
    ...[null, 'A', { 0: 'A' }, [7], [''], ['A', 'x'.repeat(513)], Array(1_001).fill('A')].flatMap(
      (wrong): [string, unknown, string][] => [
        [`that arms ${toText(wrong)}`, { ...whole, arm: wrong }, 'arm and drop are lists of text'],
        [`that drops ${toText(wrong)}`, { ...whole, drop: wrong }, 'arm and drop are lists of text'],
      ],
    ),
  ])('and refused when it is %s', (_what, json, sentence) => {
    expect(() => readMigrationMap(json)).toThrow(sentence)
  })

  test('up to its limits', () => {
    const longest = 'x'.repeat(512)
    const full = {
      ...whole,
      machine: longest,
      states: { ...entries(999), [longest]: longest },
      arm: Array(1_000).fill('A'),
    }
    expect(readMigrationMap(full)).toEqual(full)
  })
})

describe('a place', () => {
  test('is the innermost of a state value, in each region', () => {
    expect(toPlaces('B')).toEqual(['B'])
    expect(toPlaces({ A: 'one' })).toEqual(['A.one'])
    expect(toPlaces({ P: { left: { x: 'deep' }, right: {} } })).toEqual(['P.left.x.deep', 'P.right'])
    for (const none of [null, 7, true, ['B'], {}]) expect(toPlaces(none)).toEqual([])
  })

  test('is found by its keys from the root', () => {
    expect(findPlace(machine, 'P.left.y')?.id).toBe('parcel.P.left.y')
    expect(findPlace(machine, 'B')?.id).toBe('parcel.B')
    for (const nowhere of ['C', 'A.three', 'B.one', '', 'A.']) expect(findPlace(machine, nowhere), nowhere).toBeNull()
  })

  test('goes on by its own entry, by that of a state around it, or where it is', () => {
    const map = { states: { OLD: 'A', 'OLD.two': 'B', 'A.one': 'A.two' } }
    expect(toNewPlace(machine, map, 'OLD.two')).toBe('B')
    expect(toNewPlace(machine, map, 'OLD.one')).toBe('A.one')
    expect(toNewPlace(machine, map, 'OLD.gone')).toBe('A')
    expect(toNewPlace(machine, map, 'OLD')).toBe('A')
    expect(toNewPlace(machine, map, 'A.one')).toBe('A.two')
    expect(toNewPlace(machine, map, 'A.two')).toBe('A.two')
    expect(toNewPlace(machine, map, 'C.x')).toBe('C.x')
  })
})

describe('a snapshot', () => {
  const move = (states: Record<string, string>, value: PersistedSnapshot['value']) =>
    applyMigrationMap(machine, { states, drop: [] }, snapshotOf(value)).value

  test('keeps its value when no place of it moves', () => {
    const value = { P: { left: 'x', right: 'u' } }
    expect(move({ OLD: 'A' }, value)).toBe(value)
  })

  test('is moved region by region', () => {
    expect(move({ 'P.left.x': 'P.left.y' }, { P: { left: 'x', right: 'v' } })).toEqual({ P: { left: 'y', right: 'v' } })
    expect(move({ 'Q.left': 'P.left', 'Q.right': 'P.right' }, { Q: { left: 'x', right: 'u' } })).toEqual({
      P: { left: 'x', right: 'u' },
    })
    expect(move({ 'Q.left': 'P.left', 'Q.right': 'P.left' }, { Q: { left: 'y', right: 'y' } })).toEqual({
      P: { left: 'y' },
    })
  })

  test('goes to a state without saying where in it, or to one with nothing in it', () => {
    expect(move({ OLD: 'A' }, 'OLD')).toBe('A')
    expect(move({ OLD: 'B' }, { OLD: 'deep' })).toBe('B')
    expect(move({ 'OLD.l': 'P.left', 'OLD.r': 'P.right.v' }, { OLD: { l: {}, r: {} } })).toEqual({
      P: { left: {}, right: 'v' },
    })
  })

  test('keeps everything else', () => {
    const before = snapshotOf('OLD')
    expect(applyMigrationMap(machine, { states: { OLD: 'B' }, drop: [] }, before)).toEqual({ ...before, value: 'B' })
  })

  test('remembers its history by the new ids, and forgets what the map drops', () => {
    const history = {
      'parcel.A.last': [{ id: 'parcel.OLD.two' }, { id: 'parcel.GONE' }, { id: 'letter.OLD.two' }],
      'parcel.C.last': [{ id: 'parcel.C' }],
    }
    const map = { states: { OLD: 'A' }, drop: ['parcel.C.last'] }
    expect(applyMigrationMap(machine, map, snapshotOf('B', history)).historyValue).toEqual({
      'parcel.A.last': [{ id: 'parcel.A.two' }, { id: 'parcel.GONE' }, { id: 'letter.OLD.two' }],
    })
  })
})

describe('a registration with maps', () => {
  const renamed: OlderVersion = { version: '1', registration: null, migrate: (given) => ({ ...given, value: 'HALF' }) }
  const later: OlderVersion = { version: '2', registration: null, migrate: (given) => given }
  const registration: MachineRegistration = { ...surveyTwo, machine, versions: [renamed, later] }
  const step = (maps: Parameters<typeof withMigrationMaps>[1], version: string, value = 'OLD', of = registration) =>
    withMigrationMaps(of, maps)
      .versions?.find((one) => one.version === version)
      ?.migrate(snapshotOf(value)).value
  const map = emptyMigrationMap('parcel', '2', '3')

  test('of other machines is as it was', () => {
    expect(withMigrationMaps(registration, [{ ...map, machine: 'letter' }])).toBe(registration)
    expect(withMigrationMaps(registration, [])).toBe(registration)
  })

  test('applies a map to the newest after the code that migrates', () => {
    expect(step([{ ...map, states: { OLD: 'B' } }], '2')).toBe('B')
    expect(step([{ ...map, states: { OLD: 'B' } }], '1')).toBe('HALF')
  })

  test('leaves a map to a version that is retired alone: there is no chart to place anything in', () => {
    expect(step([{ ...map, from: '1', to: '2', states: { HALF: 'B' } }], '1')).toBe('HALF')
    const hosted = { ...later, registration: { ...registration, machine } }
    const both = { ...registration, versions: [renamed, hosted] }
    expect(step([{ ...map, from: '1', to: '2', states: { HALF: 'B' } }], '1', 'OLD', both)).toBe('B')
  })

  test('leaves a map that skips a listed version alone, and a version that has none', () => {
    const hosted = { ...registration, versions: [renamed, { ...later, registration: { ...registration, machine } }] }
    expect(step([{ ...map, from: '1', to: '3', states: { HALF: 'B' } }], '1', 'OLD', hosted)).toBe('HALF')
    expect(step([map], '1', 'OLD', hosted)).toBe('HALF')
  })

  test('knows a version that only a map knows, when the map leads to the newest', () => {
    const unlisted = { ...map, from: '0', states: { OLD: 'B' } }
    expect(step([unlisted], '0')).toBe('B')
    expect(withMigrationMaps(registration, [unlisted]).versions?.map(({ version }) => version)).toEqual(['0', '1', '2'])
    const known = (more: object) =>
      withMigrationMaps(registration, [{ ...unlisted, ...more }]).versions?.map(({ version }) => version)
    expect(known({ to: '2' })).toEqual(['1', '2'])
    expect(known({ from: '2' })).toEqual(['1', '2'])
    expect(known({ from: '3', to: '3' })).toEqual(['1', '2'])
    const { versions: _versions, ...first } = registration
    expect(step([unlisted], '0', 'OLD', first)).toBe('B')
  })

  test('leads two unlisted versions and a listed one to the newest each by its own map', () => {
    const goals = { 0: 'A', 7: 'B', 2: 'P' }
    const maps = Object.entries(goals).map(([from, goal]) => ({ ...map, from, states: { OLD: goal } }))
    const mapped = withMigrationMaps(registration, maps)
    for (const [from, goal] of Object.entries(goals)) {
      expect(applyMigrations(mapped, from, '3', snapshotOf('OLD')).value, from).toBe(goal)
    }
    expect(applyMigrations(mapped, '1', '3', snapshotOf('OLD')).value).toBe('HALF')
  })

  test('keeps the rest of it', () => {
    const mapped = withMigrationMaps(surveyOne, [{ ...map, machine: 'survey', from: '0', to: '1' }])
    expect({ ...mapped, versions: surveyOne.versions }).toEqual(surveyOne)
    expect(mapped.versions).toMatchObject([{ version: '0', registration: null }])
  })
})

function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, place) => [`S${place}`, 'A']))
}

function toText(value: unknown): string {
  return JSON.stringify(value).slice(0, 20)
}
