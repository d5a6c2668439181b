/**
 * The lifecycle has one definition, the chart. Cell by cell, 9 × 9: what the chart does, what the design says, what
 * the table of the database says, and what anybody's SQL can do to a stored conversation.
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { migrationFile, renderMigration } from '../../../scripts/status-transitions.ts'
import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { toStatusTransitions } from '../../../src/machines/status-transitions.ts'
import { isClosed, statuses, type Status } from '../../../src/machines/status.ts'
import { batchOf, claimAll, conversationSteps, newSession, nextId, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

/** DESIGN section 6; `.` stays, `x` may follow. Columns in the order of `statuses`. */
const design: { readonly [from in Status]: string } = {
  PENDING: '.xx xxxxx',
  PROGRESS: ' .xxxxxxx',
  HUMAN_HANDOFF: ' x. xxxxx',
  IDLE_TIMEOUT: ' xx.xxxxx',
  AGENT_CLOSED: '    .xx x',
  SUPPORT_CLOSED: '     .x x',
  USER_CLOSED: '      . x',
  EXPIRED: '    xxx.x',
  FAILED: '        .',
}

/** A way from an opening to each status. */
const wayTo = (status: Status): readonly Status[] => {
  if (status === 'PENDING') return ['PENDING']
  return status === 'IDLE_TIMEOUT' ? ['PENDING', 'PROGRESS', 'IDLE_TIMEOUT'] : ['PENDING', status]
}

const cells = statuses.flatMap((from) => statuses.map((to) => ({ from, to })))

function toTable(isAllowed: (from: Status, to: Status) => boolean): { readonly [from: string]: string } {
  const toCell = (from: Status, to: Status): string => {
    if (!isAllowed(from, to)) return ' '
    return from === to ? '.' : 'x'
  }
  return Object.fromEntries(statuses.map((from) => [from, statuses.map((to) => toCell(from, to)).join('')]))
}

/** One statement that takes the step by hand, as whoever knows the tables could. */
const step = `with journal as (
    insert into duologue.conversation_events
      (conversation_id, version, event_id, event, from_status, to_status, initiator, machine_version, occurred_at, hash)
    values ($1, $2::bigint + 1, $3, '{"type": "by.hand"}', $4, $5, 'system', '1', now(), 'by hand'))
  update duologue.conversations
  set status = $5, version = version + 1, hash = 'by hand', updated_at = now(),
    closed_at = case when $6::boolean then now() end
  where id = $1`

export function describeTransitions(database: () => DatabaseInUse): void {
  describe('status transitions', () => {
    test('the chart, the migration and the table of the database say the same as the design', async () => {
      const chart = toStatusTransitions(conversationMachine)
      expect(toTable((from, to) => chart.some((one) => one.from === from && one.to === to))).toEqual(design)
      expect(await readFile(migrationFile, 'utf8')).toBe(renderMigration())
      const rows = await database().sql('select from_status, to_status from duologue.status_transitions')
      const has = (from: Status | null, to: Status) =>
        rows.some((row) => row['from_status'] === from && row['to_status'] === to)
      expect(toTable(has)).toEqual(design)
      expect(statuses.filter((status) => has(null, status))).toEqual(['PENDING'])
    })

    test('direct SQL takes exactly the steps of the table, 9 × 9', { timeout: 60_000 }, async () => {
      const { store, sql, deployment } = database()
      const owned = await claimAll(database(), 'a')
      const prepared = cells.map((cell) => ({ ...cell, session: newSession(deployment) }))
      await store.commitSteps(
        batchOf(
          'a',
          owned,
          prepared.map(({ from, session }, index) =>
            opening(session, index + 1, {
              messages: [],
              conversations: [conversationSteps(session, 0, null, wayTo(from))],
            }),
          ),
        ),
      )
      const taken = new Set<string>()
      for (const { from, to, session } of prepared) {
        const parameters = [session.conversationId, wayTo(from).length, nextId(), from, to, isClosed(to)]
        const isTaken = await sql(step, parameters).then(
          () => true,
          (error: unknown) => {
            expect(String(error)).toMatch(/may not go from/u)
            return false
          },
        )
        if (isTaken) taken.add(`${from} ${to}`)
      }
      expect(toTable((from, to) => taken.has(`${from} ${to}`))).toEqual(design)
    })
  })
}
