/** `npm run nemesis -- --minutes 15 --rate 200 [--seed 1] [--nats 1|3] [--users 500]`: the long form, with its report. */
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'

import { runNemesis, toComplaints } from './nemesis.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    rate: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    nats: { type: 'string', default: '1' },
    users: { type: 'string', default: '500' },
    rest: { type: 'string', default: '4000' },
  },
})
const startedAt = Date.now()
const report = await runNemesis({
  durationMs: Number(values.minutes) * 60_000,
  perSecond: Number(values.rate),
  seed: Number(values.seed),
  natsServers: values.nats === '3' ? 3 : 1,
  users: Number(values.users),
  restMs: Number(values.rest),
  tell: (line) => console.log(`${((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}`),
})
const complaints = toComplaints(report)
const { violations, ...figures } = report
console.log(JSON.stringify({ ...figures, violations: violations.length, machine: toMachine() }, null, 2))
for (const complaint of complaints.slice(0, 20)) console.log(`✗ ${complaint}`)
console.log(complaints.length === 0 ? '✓ every promise was kept' : `✗ ${complaints.length} complaints`)
process.exit(complaints.length === 0 ? 0 : 1)

function toMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB, Node ${process.version}`
}
