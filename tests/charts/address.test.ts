import fc from 'fast-check'
import { expect, test } from 'vitest'

import { layers, phases, readAddress, tabs, toQuery, windows } from '../../web/chart/address.ts'
import type { Address } from '../../web/chart/address.ts'

const name = fc.stringMatching(/^[\w .|@+äß&=#%-]{1,30}$/u)
const number = fc.integer({ min: -5_000_000, max: 5_000_000 }).map((value) => value / 1_000)
const addresses: fc.Arbitrary<Address> = fc.record({
  chart: fc.option(name),
  base: fc.option(name),
  selected: fc.option(name),
  folds: fc.array(fc.stringMatching(/^[\w.]{1,20}$/u), { maxLength: 4 }),
  tab: fc.constantFrom(...tabs),
  phase: fc.constantFrom(...phases),
  layer: fc.option(fc.constantFrom(...layers)),
  window: fc.constantFrom(...windows),
  over: fc.option(name),
  conversation: fc.option(fc.uuid()),
  moment: fc.option(fc.integer({ min: 1, max: 9_999_999 })),
  isTable: fc.boolean(),
  search: fc.string(),
  steps: fc.array(fc.oneof(fc.record({ event: name }), fc.record({ waitMs: fc.nat() })), { maxLength: 5 }),
  viewport: fc.option(
    fc.record({ x: number, y: number, scale: fc.integer({ min: 1, max: 4_000 }).map((n) => n / 1_000) }),
  ),
})

test('a view is read back from its link as the same view', () => {
  fc.assert(
    fc.property(addresses, (address) => {
      expect(readAddress(toQuery(address))).toEqual(address)
    }),
    { numRuns: 200 },
  )
})

test('a link of anything else is the plain view, never an error', () => {
  fc.assert(
    fc.property(fc.string(), (query) => {
      const address = readAddress(`?steps=${query}&at=${query}&tab=${query}&show=${query}`)
      expect(tabs).toContain(address.tab)
      expect(phases).toContain(address.phase)
    }),
  )
  expect(readAddress('?at=1,2,0&steps=[&tab=nothing')).toMatchObject({ viewport: null, steps: [], tab: 'details' })
})
