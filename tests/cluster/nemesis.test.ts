/** The short form of `npm run nemesis`; docs/reliability.md publishes the long one. */
import { expect, test } from 'vitest'

import { runNemesis, toComplaints } from '../nemesis/nemesis.ts'

const shortForm = { durationMs: 45_000, perSecond: 20, users: 100, restMs: 500, tell: console.log }

test('a nemesis of every kind loses no message and repeats no answer', { timeout: 400_000 }, async () => {
  const report = await runNemesis({ ...shortForm, seed: 1, natsServers: 1 })
  console.log(JSON.stringify({ ...report, violations: report.violations.length }))
  expect(toComplaints(report)).toEqual([])
  expect(report.staleAccepted).toBe(0)
  expect(Object.keys(report.faults).length).toBeGreaterThan(6)
})
