/**
 * The long form of tests/e2e/outage.test.ts, with its figures as JSON:
 * `npm run outage -- --part nats --seconds 60 --rate 100`.
 */
import { parseArgs } from 'node:util'

import { runOutage } from './outage.ts'

const { values } = parseArgs({
  options: {
    part: { type: 'string', default: 'both' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
  },
})
const parts = (['nats', 'database'] as const).filter((part) => values.part === 'both' || values.part === part)
let isGood = parts.length > 0
for (const part of parts) {
  const figures = await runOutage({ part, seconds: Number(values.seconds), messagesPerSecond: Number(values.rate) })
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  const { lost, duplicates, outOfOrder, strayReplies, caughtUpAfterMs, seconds } = figures
  isGood &&= lost + duplicates + outOfOrder + strayReplies === 0 && caughtUpAfterMs <= seconds * 1_000
}
process.exitCode = isGood ? 0 : 1
