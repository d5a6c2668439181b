/** What a partition tells the people who run Duologue about sessions that cannot go on. */
import type { Entry } from './entry.ts'
import type { MachineNeed, Telemetry } from './ports.ts'

type Where = { readonly partition: number; readonly sessionId: string | undefined }

export function tellParked(telemetry: Telemetry, where: Where, error: unknown, entry: Entry): void {
  telemetry.count('events_parked', { kind: 'poison' })
  const fields = { ...where, cause: entry.kind, error: String(error) }
  telemetry.log('error', 'parked an event that could not be applied; the session is quarantined', fields)
}

export function tellParkedMany(telemetry: Telemetry, where: Where, count: number): void {
  telemetry.count('quarantine_queues_long')
  telemetry.log('error', 'many events of one session wait in quarantine', { ...where, count })
}

export function tellWithheld(telemetry: Telemetry, partition: number, conversationId: string, need: MachineNeed): void {
  telemetry.count('sessions_withheld', need)
  const fields = { partition, conversationId, ...need }
  telemetry.log('error', 'a conversation waits for a node that knows the version of its machine', fields)
}
