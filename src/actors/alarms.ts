/** What a partition tells the people who run Duologue about sessions that cannot go on, and sends that fail. */
import { toDeliveryRule } from '../machines/delivery-rules.ts'
import type { Entry } from './entry.ts'
import type { MachineNeed, SessionNotice, Telemetry } from './ports.ts'

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

/** A message that was not delivered, as the provider told it. */
export type SendFailure = Pick<SessionNotice, 'source' | 'code' | 'effectId'>

/** What somebody has to put right at the provider or in the settings is an error; the rest is counted. */
const alarming: ReadonlySet<string> = new Set(['pause-sender', 'template-alarm', 'alarm'])

export function tellFailure(telemetry: Telemetry, where: Where, { source, code, effectId }: SendFailure): void {
  const { action, meaning } = toDeliveryRule(code)
  telemetry.count('delivery_failures', { action: action.kind, source })
  const level = alarming.has(action.kind) ? 'error' : 'info'
  telemetry.log(level, 'a message was not delivered', { ...where, effectId, code, meaning, action: action.kind })
}

export function tellNotice(telemetry: Telemetry, where: Where, { kind, source, code }: SessionNotice): void {
  telemetry.count('session_notices', { kind, source })
  telemetry.log(kind === 'sender-paused' ? 'error' : 'info', `a session is told: ${kind}`, { ...where, source, code })
}
