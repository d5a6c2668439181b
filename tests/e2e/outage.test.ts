/** The short form of `npm run outage`: a part is away for 5 s under load. */
import { expect, test } from 'vitest'

import { runOutage } from '../outage/outage.ts'

const testMs = 240_000
const load = { seconds: 5, messagesPerSecond: 40 }
const nothingWrong = { lost: 0, duplicates: 0, outOfOrder: 0, strayReplies: 0, errors: [] }

test(
  'while NATS is away every message is answered with 200 and spooled; then all are stepped, in order',
  async () => {
    const figures = await runOutage({ part: 'nats', ...load })
    expect(figures).toMatchObject({ ...nothingWrong, refused: 0 })
    expect(figures.acknowledgedDuringOutage).toBeGreaterThan(load.seconds * load.messagesPerSecond * 0.5)
    expect(figures.spooled).toBeGreaterThanOrEqual(figures.acknowledgedDuringOutage * 0.9)
    expect(figures.drained).toBe(figures.spooled)
    expect(figures.replies).toBeGreaterThan(20)
  },
  testMs,
)

test(
  'while the database is away every message is answered with 200 by the log; then all are stepped, in order',
  async () => {
    const figures = await runOutage({ part: 'database', ...load })
    expect(figures).toMatchObject({ ...nothingWrong, refused: 0, spooled: 0 })
    expect(figures.acknowledgedDuringOutage).toBeGreaterThan(load.seconds * load.messagesPerSecond * 0.5)
    expect(figures.replies).toBeGreaterThan(20)
  },
  testMs,
)
