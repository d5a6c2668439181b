/**
 * I14: what operators asked and were told can be put into one order that is the log's, keeps real time, and in which
 * every outcome is the one that a small model of a handoff gives. With the order known no search is needed (a
 * linearizability checker in the manner of Wing and Gong looks for one).
 */
import type { Sql } from './database.ts'
import type { OperatorCall } from './operator-load.ts'

type JournalRow = { readonly version: number; readonly eventId: string; readonly type: string; readonly to: string }
type Handoff = {
  readonly status: string
  readonly assigned: string | null
  readonly line: 'agent' | 'support'
  readonly version: number
  /** The last version that an operator must have seen. */
  readonly notable: number
}
type Applied = {
  readonly at: Handoff
  readonly row: JournalRow & { readonly event: { readonly [field: string]: unknown } }
}

export type OperatorVerdict = {
  readonly commands: number
  readonly answered: number
  readonly outcomes: { readonly [outcome: string]: number }
  readonly violations: readonly string[]
}

/** `sequenceOf`: where the log has a command first. */
export async function checkOperators(
  calls: readonly OperatorCall[],
  sql: Sql,
  sequenceOf: (commandId: string) => number | undefined,
): Promise<OperatorVerdict> {
  const violations: string[] = []
  const outcomes: { [outcome: string]: number } = {}
  for (const [conversationId, own] of Map.groupBy(calls, (call) => call.conversationId)) {
    const rows = await sql('select id, outcome, version from duologue.commands where conversation_id = $1::uuid', [
      conversationId,
    ])
    const stored = new Map(rows.map((row) => [String(row['id']), row]))
    const life = await readLife(sql, conversationId)
    for (const call of own) {
      const row = stored.get(call.commandId)
      const outcome = row === undefined ? 'none' : String(row['outcome'])
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      const version = (row?.['version'] ?? null) as number | null
      const wrong = judge(call, outcome, version, life)
      if (wrong !== null) violations.push(`I14: ${call.name} ${call.commandId}: ${wrong}`)
    }
    violations.push(...checkRealTime(own, sequenceOf))
  }
  return {
    commands: calls.length,
    answered: calls.filter(({ answeredAt }) => answeredAt !== null).length,
    outcomes,
    violations,
  }
}

function judge(call: OperatorCall, outcome: string, version: number | null, life: readonly Applied[]): string | null {
  // Judged without the conversation (the session had another one by then) it is answered with the version of the moment.
  const toAnswer = (kind: string, at: number | null): string => (version === null ? kind : `${kind} at ${at}`)
  const told = new Set(call.outcomes.map((one) => toAnswer(one.outcome, one.version)))
  if (told.size > 1) return `was answered with ${[...told].join(' and ')}`
  if (told.size > 0 && !told.has(toAnswer(outcome, version)))
    return `was answered with ${[...told].join()}, not ${toAnswer(outcome, version)}`
  const steps = life.filter(({ row }) => row.eventId === `command:${call.commandId}`)
  if (outcome === 'none') return steps.length === 0 ? null : 'was applied and has no outcome'
  if (steps.length !== (outcome === 'applied' ? 1 : 0))
    return `is ${outcome} and stands ${steps.length} times in the journal`
  // The session had another conversation by then.
  if (version === null && outcome === 'refused') return null
  const before = life[(version ?? 0) - (outcome === 'applied' ? 2 : 1)]?.at
  if (before === undefined) return `was judged at version ${version}, which the conversation has not`
  const expected = expect(call, before)
  return expected === outcome ? null : `is ${outcome}; in ${toText(before)} it is ${expected}`
}

/** What of two commands was answered before the other was asked stands before it in the log. */
function checkRealTime(calls: readonly OperatorCall[], sequenceOf: (id: string) => number | undefined): string[] {
  const placed = calls.flatMap((call) => {
    const sequence = sequenceOf(call.commandId)
    return sequence === undefined ? [] : [{ call, sequence }]
  })
  return placed.flatMap(({ call, sequence }) =>
    placed
      .filter((other) => (call.answeredAt ?? Infinity) < other.call.invokedAt && other.sequence < sequence)
      .map(
        (other) => `I14: ${call.commandId} was answered before ${other.call.commandId} was asked, and came after it`,
      ),
  )
}

// ── The model ────────────────────────────────────────────────────────────────────────────────────

const rank: { readonly [status: string]: number } = {
  EXPIRED: 1,
  AGENT_CLOSED: 2,
  SUPPORT_CLOSED: 3,
  USER_CLOSED: 4,
  FAILED: 5,
}

function expect({ name, body, operatorId, seenVersion }: OperatorCall, before: Handoff): string {
  if (seenVersion !== null && (seenVersion < before.notable || seenVersion > before.version)) return 'stale'
  const { status, assigned, line } = before
  const isMine = assigned === operatorId
  const isOpen = rank[status] === undefined
  const isHandoff = status === 'HUMAN_HANDOFF'
  const taken: { readonly [name: string]: boolean } = {
    handoff: isOpen && !isHandoff,
    assign: isOpen && assigned === null,
    reply: isMine,
    release: isMine,
    extend: isMine,
    transfer: isMine && body['to'] !== operatorId,
    escalate: isHandoff && line === 'agent' && (assigned === null || isMine),
    close: (rank[body['as'] === 'support' ? 'SUPPORT_CLOSED' : 'AGENT_CLOSED'] ?? 0) > (rank[status] ?? 0),
  }
  return taken[name] === true ? 'applied' : 'refused'
}

/** The handoff after each version. */
async function readLife(sql: Sql, conversationId: string): Promise<readonly Applied[]> {
  const rows = await sql(
    `select version::int, event_id as "eventId", event, event ->> 'type' as type, to_status as "to"
    from duologue.conversation_events where conversation_id = $1::uuid order by version`,
    [conversationId],
  )
  let at: Handoff = { status: 'none', assigned: null, line: 'agent', version: 0, notable: 0 }
  return (rows as unknown as readonly Applied['row'][]).map((row) => {
    at = advance(at, row)
    return { at, row }
  })
}

function advance(before: Handoff, { version, type, to: status, event }: Applied['row']): Handoff {
  const isHandoff = status === 'HUMAN_HANDOFF'
  const assigned = isHandoff ? toAssigned(before, type, event) : null
  const line = isHandoff && (type === 'operator.escalated' || before.line === 'support') ? 'support' : 'agent'
  const isNotable = type === 'message.received' || status !== before.status || assigned !== before.assigned
  return { status, assigned, line, version, notable: isNotable ? version : before.notable }
}

function toAssigned({ assigned }: Handoff, type: string, event: Applied['row']['event']): string | null {
  if (type === 'operator.assigned') return String(event['operatorId'])
  if (type === 'operator.transferred') return String(event['to'])
  return type === 'operator.escalated' ? null : assigned
}

function toText({ status, assigned, line, version }: Handoff): string {
  return `version ${version} (${status}, ${assigned ?? 'nobody'} assigned, ${line} line)`
}
