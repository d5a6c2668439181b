import { expect, test } from 'vitest'

import { toDuration } from '../../src/charts/to-duration.ts'

test.each([
  [0, '0 ms'],
  [250, '250 ms'],
  [1_500, '1.5 s'],
  [60_000, '1 min'],
  [601_500, '10 min 1.5 s'],
  [900_000, '15 min'],
  [5_400_000, '1 h 30 min'],
  [86_400_000, '24 h'],
  [172_800_000, '48 h'],
  [259_200_000, '3 days'],
  [7_776_000_000, '90 days'],
])('%i ms are called %s', (ms, text) => {
  expect(toDuration(ms)).toBe(text)
})
