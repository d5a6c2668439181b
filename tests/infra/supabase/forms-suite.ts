/**
 * Every function takes its argument as a jsonb object (PostgREST, PGlite) and as a JSON string inside jsonb (Supabase
 * Lite on PostgreSQL), and answers the same.
 */
import { describe, expect, test } from 'vitest'
import { toCommitPayload } from '../../../src/infra/supabase/commit-payload.ts'
import { batchOf, businessAddress, claimAll, newEffect, newSession, nextStep, opening } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

type Sample = { readonly request: object; readonly expected: unknown }

export function describeForms(database: () => DatabaseInUse): void {
  const forms = { object: '$1::text::jsonb', string: 'to_jsonb($1::text)' }

  /** What each exposed function is asked, with a part of the right answer; every sample stands alone. */
  const makeSamples = async (): Promise<{ readonly [name: string]: Sample }> => {
    const { store, deployment } = database()
    const owned = await claimAll(database(), 'a')
    const session = newSession(deployment)
    const effect = newEffect(session, 1, 0, { kind: 'draftReply' })
    await store.commitSteps(batchOf('a', owned, [opening(session, 1, { effects: [effect] })]))
    const conversation = { conversation_id: session.conversationId }
    const provider = `SM-${session.sessionId}`
    const page = (item: object) => ({ items: [expect.objectContaining(item)], next: null })
    return {
      schema_version: { request: {}, expected: expect.objectContaining({ format: 1 }) },
      initialize_deployment: {
        request: { partitions: 3, business_addresses: ['sms:+1'] },
        expected: { partitions: 8 },
      },
      claim_partitions: {
        request: { node_id: 'a', lease_ms: 3_000, held: owned, renew_only: true },
        expected: { machines: { conversation: ['1'] }, partitions: expect.objectContaining({ length: 8 }) },
      },
      release_partitions: { request: { node_id: 'a', partitions: owned.slice(7) }, expected: { released: [7] } },
      commit_steps: {
        request: toCommitPayload(batchOf('a', owned, [nextStep(session, 1, 2)])),
        expected: { committed: [0], fenced: [], exceptions: {} },
      },
      load_sessions: {
        request: { sessions: [{ session_key: 'x.y', provider_ids: [provider] }] },
        expected: { sessions: [], channels: [], aliases: [], known_provider_ids: [] },
      },
      load_due: {
        request: { partitions: [0], of: 'effects', horizon: '2026-01-01T00:00:00Z', after: null, limit: 5 },
        expected: { sessions: [expect.objectContaining({ partition: 0 })], next: null },
      },
      start_effects: {
        request: {
          node_id: 'a',
          lease_ms: 3_000,
          partitions: owned,
          effects: [{ id: 'nothing', partition: 0, session_id: session.sessionId }],
        },
        expected: { outcomes: { nothing: { kind: 'not-pending' } } },
      },
      find_delivery: { request: { effect_id: effect.effectId }, expected: { provider_id: null } },
      find_known_provider_ids: {
        request: { channel_id: session.created.channelId, provider_ids: [provider, 'SM-x'] },
        expected: { provider_ids: [provider] },
      },
      recent_messages: {
        request: { session_id: session.sessionId, limit: 1 },
        expected: { messages: [expect.objectContaining({ direction: 'inbound' })] },
      },
      find_channel: {
        request: { address: businessAddress },
        expected: { channel: expect.objectContaining({ address: businessAddress }) },
      },
      list_conversations: { request: { limit: 5 }, expected: page({ id: session.conversationId }) },
      get_conversation: {
        request: conversation,
        expected: { item: expect.objectContaining({ id: session.conversationId }) },
      },
      reserve_assistant_spend: {
        request: { tenant_id: session.created.tenantId, micros: 5, max_micros: 4 },
        expected: { day: null },
      },
      reserve_assistant_call: {
        request: { tenant_id: session.created.tenantId, minute_max: 0, hour_max: 5 },
        expected: { exceeded: 'minute' },
      },
      message_media: {
        request: { ...conversation, message_id: session.sessionId, index: 0 },
        expected: { media: null },
      },
      settle_assistant_spend: {
        request: {
          tenant_id: session.created.tenantId,
          day: '2026-11-25',
          reserved_micros: 0,
          spent_micros: 0,
          input_tokens: 0,
          output_tokens: 0,
        },
        expected: {},
      },
      get_command: { request: { command_id: 'nothing' }, expected: { command: null } },
      list_messages: {
        request: { ...conversation, limit: 1 },
        expected: expect.objectContaining({ items: [expect.anything()] }),
      },
      list_events: {
        request: { ...conversation, limit: 5 },
        expected: expect.objectContaining({ items: expect.anything() }),
      },
      get_sending: {
        request: conversation,
        expected: { sending: expect.objectContaining({ conversationId: session.conversationId, held: [] }) },
      },
      list_opt_outs: { request: { limit: 5 }, expected: { items: [], next: null } },
      list_history: { request: conversation, expected: page({ toStatus: 'PENDING' }) },
      quarantine_list: { request: {}, expected: { items: [], next: null } },
      quarantine_get: { request: { id: session.sessionId }, expected: { item: null } },
      dismiss_foreign: { request: { id: session.sessionId }, expected: { dismissed: false } },
      distinct_states: { request: {}, expected: expect.objectContaining({ isWhole: true }) },
      get_tenant: { request: { name: 'default' }, expected: { tenant: expect.objectContaining({ name: 'default' }) } },
      set_tenant_settings: {
        request: { name: 'default', settings: { quietMs: 1 } },
        expected: { settings: { quietMs: 1 } },
      },
      describe_deployment: { request: {}, expected: expect.objectContaining({ partitions: 8 }) },
      watch_spool: { request: { is_log_down: false }, expected: { phase: 'direct', era: 0, size: 0 } },
      spool_events: {
        request: {
          is_log_down: true,
          events: [{ publication_id: 'x', event: { businessAddress: 'a', userKey: 'b' } }],
        },
        expected: { outcome: 'spooled', era: 1 },
      },
      drain_spool: {
        request: { node_id: 'a', lease_ms: 1_000, limit: 5, bytes: 1_000, quiet_ms: 0, closing_ms: 1, published: [] },
        expected: expect.objectContaining({ is_mine: true, size: 1, events: [expect.anything()] }),
      },
      spool_status: { request: {}, expected: expect.objectContaining({ size: 1, drainer: 'a' }) },
      recall_log: { request: {}, expected: { generation: 1, high: 0 } },
      observe_log: {
        request: { created: 'c', first_sequence: 1, last_sequence: 2, generation: 1, high: 0, since: '2026-01-01' },
        // The cursor of the commit above is of another log.
        expected: { incarnation: 'c#2', incidents: 1, incident: 'recreated', is_reconciled: false },
      },
      claim_reconciliation: {
        request: { node_id: 'a', lease_ms: 1_000 },
        expected: { since: expect.stringContaining('2026-01-01'), incidents: 1, is_mine: true },
      },
      finish_reconciliation: { request: { node_id: 'a', incidents: 1 }, expected: { is_done: true } },
      plan_purge: {
        request: { node_id: 'a', lease_ms: 1_000 },
        expected: expect.objectContaining({ is_mine: true, incarnation: 'c#2' }),
      },
      record_purge: { request: { node_id: 'b', incarnation: 'c#2', through: 1 }, expected: { is_recorded: false } },
      resolve_identities: {
        request: { asks: [{ business_address: businessAddress, user_keys: ['whatsapp:+1500', 'x'], claims: true }] },
        expected: {
          generation: expect.any(Number),
          homes: [{ home: 'whatsapp:+1500', is_held: false, is_split: false }],
        },
      },
      identity_generation: { request: {}, expected: { generation: expect.any(Number) } },
      hold_identities: {
        request: { session_id: session.sessionId, user_key: session.created.userKey, is_undoing: false, hold_ms: 1 },
        expected: { outcome: 'refused', reason: 'the address is of this session already' },
      },
      release_identities: { request: { session_id: session.sessionId, keys: ['x'] }, expected: {} },
      link_identities: {
        request: { session_id: provider.slice(3), user_key: session.created.userKey, link_id: session.sessionId },
        expected: { outcome: 'refused', reason: 'the address is of this session already' },
      },
      unlink_identities: {
        request: { session_id: session.sessionId, user_key: 'whatsapp:+1999' },
        expected: { outcome: 'refused', reason: 'the address is not linked to this session' },
      },
      get_session: {
        request: { session_id: session.sessionId },
        expected: { session: expect.objectContaining({ userAddress: session.created.userKey, links: [] }) },
      },
      list_session_messages: {
        request: { session_id: session.sessionId, limit: 1 },
        expected: expect.objectContaining({ items: [expect.objectContaining({ sessionId: session.sessionId })] }),
      },
      find_homes: {
        request: { user_key: session.created.userKey },
        expected: { homes: [{ business_address: businessAddress, user_key: session.created.userKey }] },
      },
      create_tenant: { request: { name: 'default' }, expected: { tenant: null } },
      list_tenants: { request: {}, expected: { tenants: [expect.objectContaining({ name: 'default' })] } },
      set_channel: { request: { tenant: 'nobody', address: 'sms:+1' }, expected: { outcome: 'missing' } },
      add_api_token: { request: { tenant: 'nobody', name: 'x', token_hash: 'x' }, expected: { outcome: 'missing' } },
      revoke_api_token: { request: { tenant: 'default', name: 'x' }, expected: { revoked: false } },
      list_api_tokens: { request: { tenant: 'default' }, expected: { tokens: [] } },
      find_api_token: { request: { token_hash: 'x' }, expected: { tenant_id: null } },
      live_view: {
        request: { machine: 'conversation', windowSeconds: 3_600 },
        expected: expect.objectContaining({ at: expect.any(String), states: expect.any(Array) }),
      },
      stuck_view: {
        request: { machine: 'conversation', machineVersion: '1', states: [] },
        expected: expect.objectContaining({ at: expect.any(String), states: [] }),
      },
      in_flight: {
        request: { machine: 'conversation', samples: 1 },
        expected: expect.objectContaining({ shapes: expect.any(Array) }),
      },
      list_to_wake: {
        request: { machine: 'conversation', from: '1', to: '2', paths: [['PENDING']], after: null, limit: 5 },
        expected: expect.objectContaining({ items: expect.any(Array) }),
      },
      tidy_moves: { request: {}, expected: expect.any(Object) },
      list_journals: {
        request: { machine: 'conversation', limit: 5 },
        expected: expect.objectContaining({ items: [expect.objectContaining({ id: session.conversationId })] }),
      },
      add_review_comment: {
        request: {
          comment_id: session.sessionId,
          thread_id: session.sessionId,
          machine: 'conversation',
          about: 'conversation.PENDING',
          chart_hash: '0123456789abcdef',
          chart: { states: [] },
          author: 'Ana',
          body: 'why?',
        },
        expected: { threadId: session.sessionId },
      },
      settle_review_thread: {
        request: { thread_id: session.sessionId, machine: 'conversation', is_resolved: true, author: 'Ana' },
        expected: { settled: true },
      },
      list_review_threads: {
        request: { machine: 'conversation' },
        expected: expect.objectContaining({ items: [expect.objectContaining({ resolvedBy: 'Ana' })] }),
      },
      give_review_verdict: {
        request: {
          id: session.sessionId,
          review_id: 'conversation@1..2',
          base: {},
          head: {},
          verdict: 'approved',
          author: 'Ana',
          note: '',
        },
        expected: { at: expect.any(String) },
      },
      list_review_verdicts: {
        request: { review_id: 'conversation@1..2' },
        expected: { items: [expect.objectContaining({ verdict: 'approved' })] },
      },
      get_stored_conversation: {
        request: conversation,
        expected: { stored: expect.objectContaining({ machine: 'conversation' }) },
      },
    }
  }

  describe('forms of the argument', () => {
    test.each(Object.entries(forms))('every function takes a jsonb %s', async (_form, argument) => {
      const { sql } = database()
      const exposed = await sql(`select proname from pg_proc where pronamespace = 'public'::regnamespace
        and prorettype = 'jsonb'::regtype and has_function_privilege('service_role', oid, 'execute')`)
      const samples = await makeSamples()
      expect(exposed.map(({ proname }) => String(proname)).toSorted()).toEqual(Object.keys(samples).toSorted())
      for (const [name, { request, expected }] of Object.entries(samples)) {
        const [row] = await sql(`select public.${name}(${argument}) as answer`, [JSON.stringify(request)])
        expect(row?.['answer'], name).toEqual(expected)
      }
    })
  })
}
