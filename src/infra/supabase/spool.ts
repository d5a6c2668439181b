/** The spool's functions of the database (`SpoolStore`). */
import type { SupabaseClient } from '@supabase/supabase-js'

import { toPublicationId } from '../../actors/logged-event.ts'
import type { LoggedEvent } from '../../actors/ports.ts'
import type { SpoolAnswer, SpoolPhase, SpoolState, SpoolStore } from '../../actors/spool-store.ts'
import { createCall } from './call.ts'
import { fromIso } from './rows.ts'

const eventsPerPage = 200
/** A call stays near 1 MB. */
const bytesPerPage = 512 * 1_024
/** No node has complained of the log for so long: the spool may be closed. */
const quietMs = 2_000
/** Webhooks are held so long at most; a page is published in a fraction of it. */
const closingMs = 2_000

export function createSpoolStore(client: SupabaseClient): SpoolStore {
  const call = createCall(client)
  return {
    watchSpool: async (isLogDown) =>
      (await call('watch_spool', { is_log_down: isLogDown })) as SpoolState & { size: number },
    spoolEvents: async (events, isLogDown) =>
      (await call('spool_events', { is_log_down: isLogDown, events: events.map(toRow) })) as SpoolAnswer,
    drainSpool: async ({ nodeId, leaseMs, published, giveUp }) => {
      const page = (await call('drain_spool', {
        node_id: nodeId,
        lease_ms: leaseMs,
        limit: eventsPerPage,
        bytes: bytesPerPage,
        quiet_ms: quietMs,
        closing_ms: closingMs,
        published,
        give_up: giveUp,
      })) as PageAnswer
      return {
        phase: page.phase,
        era: page.era,
        isMine: page.is_mine,
        size: page.size,
        events: page.events.map(({ id, session_key, event }) => ({ id, sessionKey: session_key, event })),
      }
    },
    spoolStatus: async () => {
      const { phase, size, oldest_at, drainer } = (await call('spool_status', {})) as StatusAnswer
      return { phase, size, oldestAt: oldest_at === null ? null : fromIso(oldest_at), drainer }
    },
  }
}

type PageAnswer = SpoolState & {
  readonly is_mine: boolean
  readonly size: number
  readonly events: readonly { readonly id: number; readonly session_key: string; readonly event: LoggedEvent }[]
}

type StatusAnswer = {
  readonly phase: SpoolPhase
  readonly size: number
  readonly oldest_at: string | null
  readonly drainer: string | null
}

function toRow(event: LoggedEvent): object {
  return { publication_id: toPublicationId(event), event }
}
