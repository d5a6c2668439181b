/**
 * Two tenants whose sessions lie in the same partitions. Every function of `public` is called for the one with whatever it
 * could name of the other: nothing of the other is answered, and none of its rows changes.
 */
import { describe, expect, test } from 'vitest'
import { toCommitPayload } from '../../../src/infra/supabase/commit-payload.ts'
import {
  batchOf,
  claimAll,
  commandOf,
  commitOf,
  newEffect,
  newSession,
  nextId,
  nextStep,
  opening,
  outbound,
  parkedEvent,
  toHash,
} from './batches.ts'
import type { TestSession } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

const otherAddress = 'whatsapp:+14155230001'

/** What the reviewers of a chart read and write: of the deployment, closed to tenants' tokens by its routes. */
const reviewing: readonly (readonly [name: string, request: object])[] = [
  [
    'add_review_comment',
    {
      comment_id: nextId(),
      thread_id: nextId(),
      machine: 'conversation',
      about: 'conversation',
      chart_hash: '0123456789abcdef',
      chart: { states: [] },
      author: 'Ana',
      body: 'why?',
    },
  ],
  ['settle_review_thread', { thread_id: nextId(), machine: 'conversation', is_resolved: true, author: 'Ana' }],
  ['list_review_threads', { machine: 'conversation' }],
  [
    'give_review_verdict',
    { id: nextId(), review_id: 'conversation@1..2', base: {}, head: {}, verdict: 'approved', author: 'Ana', note: '' },
  ],
  ['list_review_verdicts', { review_id: 'conversation@1..2' }],
  ['live_view', { machine: 'conversation', windowSeconds: 3_600 }],
  ['stuck_view', { machine: 'conversation', machineVersion: '1', states: [] }],
  ['in_flight', { machine: 'conversation', samples: 1 }],
  ['list_to_wake', { machine: 'conversation', from: '1', to: '2', paths: [], limit: 5 }],
  ['tidy_moves', {}],
]

type Side = {
  readonly session: TestSession
  readonly messageId: string
  readonly effectId: string
  readonly providerId: string
  readonly commandId: string
  readonly tokenHash: string
  readonly quarantineId: string
  readonly linkedKey: string
}

type Call = {
  readonly request: object
  /** What is answered is the whole deployment's, for whoever runs it; it changes nothing all the same. */
  readonly isOfDeployment?: true
  /** What must be answered to a call that names what is of the other tenant. */
  readonly expected?: unknown
}

export function describeTenancy(database: () => DatabaseInUse): void {
  describe('tenants', () => {
    test('no function answers or changes anything of another tenant', async () => {
      const { mine, theirs, owned } = await makeTenants(database())
      const calls = toCalls(mine, theirs, owned)
      const { sql } = database()
      const exposed = await sql(`select proname from pg_proc where pronamespace = 'public'::regnamespace
        and prorettype = 'jsonb'::regtype and has_function_privilege('service_role', oid, 'execute')`)
      expect(Object.keys(calls).toSorted()).toEqual(exposed.map(({ proname }) => String(proname)).toSorted())
      const markers = toMarkers(theirs)
      const before = await rowsWith(database(), markers)
      expect(before.length).toBeGreaterThan(12)
      for (const [name, asked] of Object.entries(calls)) {
        for (const { request, isOfDeployment, expected } of [asked].flat()) {
          const text = JSON.stringify(request)
          const [row] = await sql(`select public.${name}($1::text::jsonb) as answer`, [text])
          const answer = JSON.stringify(row?.['answer'])
          // A call that says nothing of its answer is judged by what the answer must not hold.
          expect(row?.['answer'], name).toEqual(expected === undefined ? row?.['answer'] : expected)
          const told = markers.filter((marker) => answer.includes(marker) && !text.includes(marker))
          expect(isOfDeployment === true ? [] : told, `${name} answers ${answer}`).toEqual([])
          expect(await rowsWith(database(), markers), name).toEqual(before)
        }
      }
    })

    test.each([
      [
        'a new session under the address of another tenant',
        (mine: TestSession) => ({ businessAddress: otherAddress, userKey: mine.created.userKey }),
      ],
      [
        'a new session in the channel of another tenant',
        (_mine: TestSession, theirs: TestSession) => ({ channelId: theirs.created.channelId }),
      ],
    ])('%s is refused whole', async (_case, toForeign) => {
      const { mine, theirs, owned } = await makeTenants(database())
      const session = newSession(database().deployment)
      const created = { ...session.created, ...toForeign(session, theirs.session), userKey: 'whatsapp:+15550001' }
      const commit = opening({ ...session, created }, 9)
      const count = async () => database().sql('select count(*)::integer as sessions from duologue.sessions')
      const before = await count()
      await expect(database().store.commitSteps(batchOf('a', owned, [commit]))).rejects.toThrow(/tenant|foreign key/u)
      expect(await count()).toEqual(before)
      expect(mine.session.sessionId).not.toBe(theirs.session.sessionId)
    })

    test("a session that names another tenant's conversation loads without it", async () => {
      const { mine, theirs, owned } = await makeTenants(database())
      const commit = commitOf(mine.session, 8, { conversationId: theirs.session.conversationId })
      await database().store.commitSteps(batchOf('a', owned, [commit]))
      const { store, sql } = database()
      const [row] = await sql(`select session_key from duologue.sessions where id = '${mine.session.sessionId}'`)
      const asked = { sessionKey: String(row?.['session_key']), partition: 0, duplicateKeys: [theirs.providerId] }
      const loaded = await store.loadSessions(owned, [asked])
      expect(loaded.sessions).toMatchObject([{ sessionId: mine.session.sessionId, conversation: null }])
      expect(loaded.knownKeys).toEqual([])
    })

    test.each(['anon', 'authenticated'])('%s may read, write and call nothing', async (role) => {
      await makeTenants(database())
      const { sql } = database()
      const tables = await sql(
        `select relname, (
          select attname from pg_attribute
          where attrelid = pg_class.oid and attnum > 0 and not attisdropped and attgenerated = ''
          order by attnum limit 1) as attname
        from pg_class where relnamespace = 'duologue'::regnamespace and relkind = 'r' order by 1`,
      )
      expect(tables.length).toBeGreaterThan(20)
      for (const { relname, attname } of tables) {
        const name = `duologue.${String(relname)}`
        const column = String(attname)
        const verbs = [
          `insert into ${name} select * from ${name} limit 1`,
          `update ${name} set ${column} = ${column}`,
          `delete from ${name}`,
        ]
        // Supabase Lite grants every table to these roles when it finds row-level security: then only that is left.
        for (const verb of verbs) {
          await sql(`do $$ declare touched integer; begin
            set local role ${role};
            execute '${verb}';
            get diagnostics touched = row_count;
            if touched > 0 then raise exception '${role} may ${verb}' using errcode = 'ZZ001'; end if;
          exception when insufficient_privilege or generated_always or raise_exception then null;
          end $$`)
        }
      }
      const functions = await sql(`select proname from pg_proc where pronamespace = 'public'::regnamespace
        and prorettype = 'jsonb'::regtype and has_function_privilege('service_role', oid, 'execute')`)
      for (const { proname } of functions) {
        const call = sql(`do $$ begin set local role ${role}; perform public.${String(proname)}('{}'); end $$`)
        await expect(call, String(proname)).rejects.toThrow(/permission denied for function/u)
      }
    })

    test('a channel is never taken from another tenant, and an unknown tenant gets none', async () => {
      const { sql } = database()
      await makeTenants(database())
      const set = async (tenant: string, address: string) => {
        const request = JSON.stringify({ tenant, address, provider_account: 'ACx', token_secret_name: 'env:X' })
        const [row] = await sql('select public.set_channel($1::text::jsonb) as answer', [request])
        const { outcome } = (row ?? {})['answer'] as { outcome: string }
        return outcome
      }
      expect(await set('default', otherAddress)).toBe('refused')
      expect(await set('nobody', 'sms:+14155230009')).toBe('missing')
      expect(await set('default', 'sms:+14155230009')).toBe('added')
      expect(await set('default', 'sms:+14155230009')).toBe('changed')
    })

    test('a start leaves a channel to the tenant that it was given to, with its account', async () => {
      const { sql, store } = database()
      await makeTenants(database())
      await store.initializeDeployment({ partitions: 8, businessAddresses: [otherAddress], providerAccount: 'AC-env' })
      const [row] = await sql(
        `select tenants.name, provider_account from duologue.channels join duologue.tenants on tenants.id = tenant_id
        where address = '${otherAddress}'`,
      )
      expect(row).toEqual({ name: 'other', provider_account: 'AC-other' })
    })
  })
}

async function makeTenants(database: DatabaseInUse) {
  const { sql, store, deployment } = database
  const owned = await claimAll(database, 'a')
  await sql(`insert into duologue.tenants (name) values ('other')`)
  await sql(
    `insert into duologue.channels (tenant_id, address, provider_account, token_secret_name)
    select id, '${otherAddress}', 'AC-other', 'env:OTHER' from duologue.tenants where name = 'other'`,
  )
  const channel = await store.findChannel(otherAddress)
  if (channel === null) throw new Error('the channel is missing')
  const mine = await makeSide(database, owned, newSession(deployment), 'mine', 1)
  const base = newSession(deployment)
  const created = {
    tenantId: channel.tenantId,
    channelId: channel.channelId,
    businessAddress: otherAddress,
    userKey: 'whatsapp:+15557770001',
  }
  const theirs = await makeSide(database, owned, { ...base, created }, 'other', 3)
  return { mine, theirs, owned }
}

async function makeSide(
  { sql, store }: DatabaseInUse,
  owned: Awaited<ReturnType<typeof claimAll>>,
  session: TestSession,
  name: string,
  sequence: number,
): Promise<Side> {
  const providerId = `SM-${session.sessionId}`
  const message = outbound(session)
  const effect = newEffect(session, 1, 0, { messageId: message.messageId })
  const command = commandOf(session, 'applied')
  const linkedKey = `whatsapp:US.${name}${session.sessionId.replaceAll('-', '').slice(-12)}`
  const first = opening(session, sequence, {
    effects: [effect],
    commands: [command],
    deliveries: [
      { providerId: `SM-sent-${name}`, effectId: effect.effectId, status: 'sent', errorCode: null, raw: {}, at: 1 },
    ],
    identities: [{ userKey: linkedKey, messageId: message.messageId }],
  })
  const messages = [...first.messages, message]
  await store.commitSteps(batchOf('a', owned, [{ ...first, messages }]))
  const parked = commitOf(session, sequence + 1, { parked: [parkedEvent(sequence + 1)], quarantined: false })
  await store.commitSteps(batchOf('a', owned, [parked]))
  const [quarantine] = await sql(`select id from duologue.quarantine where session_id = '${session.sessionId}'`)
  const tokenHash = toHash(`token of ${name}`)
  await sql(
    `insert into duologue.api_tokens (tenant_id, name, token_hash) values ('${session.created.tenantId}', 'token-${name}', '${tokenHash}')`,
  )
  await sql(
    `insert into duologue.session_links (id, tenant_id, into_session_id, from_key, keys, operator_id, reason)
    values ('${nextId()}', '${session.created.tenantId}', '${session.sessionId}', '${linkedKey}', '["${linkedKey}"]', 'olga', 'link of ${name}')`,
  )
  await sql(
    `insert into duologue.assistant_usage (tenant_id, day, spent_micros) values ('${session.created.tenantId}', '2026-11-25', 5)`,
  )
  return {
    session,
    messageId: message.messageId,
    effectId: effect.effectId,
    providerId,
    commandId: command.commandId,
    tokenHash,
    quarantineId: String(quarantine?.['id']),
    linkedKey,
  }
}

function toMarkers({ session, providerId, commandId, tokenHash, quarantineId, linkedKey }: Side): readonly string[] {
  const { sessionId, conversationId, created } = session
  const ids = [sessionId, conversationId, created.tenantId, created.channelId, commandId, quarantineId]
  return [...ids, created.userKey, providerId, tokenHash, linkedKey, otherAddress, 'SM-sent-other']
}

/** Every row of the schema that holds one of the texts, as text. */
async function rowsWith({ sql }: DatabaseInUse, markers: readonly string[]): Promise<readonly string[]> {
  const tables = await sql(
    `select relname from pg_class where relnamespace = 'duologue'::regnamespace and relkind = 'r' order by 1`,
  )
  const found: string[] = []
  for (const { relname } of tables) {
    const rows = await sql(
      `select '${String(relname)} ' || one::text as text from duologue.${String(relname)} as one order by 1`,
    )
    const texts = rows.map(({ text }) => String(text))
    found.push(...texts.filter((text) => markers.some((marker) => text.includes(marker))))
  }
  return found
}

function toCalls(
  mine: Side,
  theirs: Side,
  owned: Awaited<ReturnType<typeof claimAll>>,
): { readonly [name: string]: Call | readonly Call[] } {
  const { session } = mine
  const tenant = { tenant_id: session.created.tenantId }
  const stolen = { ...tenant, conversation_id: theirs.session.conversationId }
  const foreign = { ...tenant, session_id: theirs.session.sessionId }
  const operator = { operator_id: 'olga', reason: 'r' }
  const order = { ...tenant, session_id: session.sessionId, user_key: theirs.session.created.userKey }
  const missing = { outcome: 'missing' }
  const steal = nextStep(session, 1, 12, {
    effectUpdates: [
      {
        effectId: theirs.effectId,
        status: 'done',
        attempts: 1,
        nextAttemptAt: null,
        outcome: {},
        providerId: 'SM-stolen',
      },
    ],
    deliveries: [{ providerId: 'SM-sent-mine', effectId: null, status: 'read', errorCode: null, raw: {}, at: 2 }],
  })
  const foreignStep = nextStep({ ...session, conversationId: theirs.session.conversationId }, 1, 13)
  const fromNode = { node_id: 'a', lease_ms: 3_000 }
  return {
    schema_version: { request: {} },
    initialize_deployment: { request: { partitions: 8, business_addresses: ['sms:+1'], provider_account: 'AC0' } },
    commit_steps: [
      { request: toCommitPayload(batchOf('a', owned, [steal])) },
      {
        request: toCommitPayload(batchOf('a', owned, [{ ...foreignStep, conversationId: session.conversationId }])),
        expected: { committed: [0], fenced: [], exceptions: { [session.sessionId]: { kind: 'stale' } } },
      },
    ],
    load_sessions: { request: { sessions: [{ session_key: 'x.y', provider_ids: [theirs.providerId] }] } },
    load_due: {
      request: { partitions: [0], of: 'effects', horizon: '2026-01-01T00:00:00Z', after: null, limit: 5 },
      isOfDeployment: true,
    },
    start_effects: {
      request: {
        ...fromNode,
        partitions: owned,
        effects: [{ id: theirs.effectId, partition: 0, session_id: session.sessionId }],
      },
      expected: { outcomes: { [theirs.effectId]: { kind: 'not-pending' } } },
    },
    find_delivery: { request: { effect_id: mine.effectId }, expected: { provider_id: 'SM-sent-mine' } },
    find_known_provider_ids: {
      request: { channel_id: session.created.channelId, provider_ids: [theirs.providerId, 'SM-sent-other'] },
      expected: { provider_ids: [] },
    },
    recent_messages: { request: { session_id: session.sessionId, limit: 200 } },
    find_channel: { request: { address: session.created.businessAddress } },
    list_conversations: [
      { request: { ...tenant, limit: 200 } },
      { request: { ...tenant, address: theirs.session.created.userKey }, expected: { items: [], next: null } },
      { request: { ...tenant, address: otherAddress }, expected: { items: [], next: null } },
    ],
    get_conversation: { request: stolen, expected: { item: null } },
    list_messages: { request: stolen, expected: null },
    message_media: { request: { ...stolen, message_id: theirs.messageId, index: 0 }, expected: { media: null } },
    list_events: { request: stolen, expected: null },
    get_sending: { request: stolen, expected: { sending: null } },
    list_opt_outs: { request: { ...tenant, limit: 200 } },
    list_history: { request: stolen, expected: null },
    get_stored_conversation: { request: stolen, expected: { stored: null } },
    get_command: { request: { ...tenant, command_id: theirs.commandId }, expected: { command: null } },
    quarantine_list: { request: { ...tenant, limit: 200 } },
    quarantine_get: { request: { ...tenant, id: theirs.quarantineId }, expected: { item: null } },
    dismiss_foreign: { request: { id: theirs.quarantineId }, expected: { dismissed: false } },
    get_session: { request: foreign, expected: { session: null } },
    list_session_messages: [
      { request: foreign, expected: null },
      { request: { ...tenant, session_id: session.sessionId, limit: 200 } },
    ],
    find_homes: { request: { ...tenant, user_key: theirs.session.created.userKey }, expected: { homes: [] } },
    resolve_identities: {
      request: {
        asks: [
          {
            business_address: session.created.businessAddress,
            user_keys: [theirs.session.created.userKey],
            claims: false,
          },
        ],
      },
    },
    identity_generation: { request: {} },
    hold_identities: {
      request: { ...foreign, user_key: mine.linkedKey, is_undoing: false, hold_ms: 1_000 },
      expected: missing,
    },
    release_identities: { request: { ...foreign, keys: [theirs.linkedKey, theirs.session.created.userKey] } },
    link_identities: {
      request: { ...foreign, user_key: mine.linkedKey, link_id: nextId(), ...operator },
      expected: missing,
    },
    unlink_identities: [
      { request: { ...foreign, user_key: theirs.linkedKey, new_session_id: nextId(), ...operator }, expected: missing },
      {
        request: { ...order, new_session_id: nextId(), ...operator },
        expected: { outcome: 'refused', reason: 'the address is not linked to this session' },
      },
    ],
    create_tenant: { request: { name: 'other' }, expected: { tenant: null } },
    list_tenants: { request: {}, isOfDeployment: true },
    set_channel: {
      request: { tenant: 'default', address: otherAddress, provider_account: 'ACx', token_secret_name: 'env:X' },
      expected: { outcome: 'refused' },
    },
    add_api_token: {
      request: { tenant: 'default', name: 'new', token_hash: theirs.tokenHash },
      expected: { outcome: 'refused', id: null },
    },
    revoke_api_token: { request: { tenant: 'default', name: 'token-other' }, expected: { revoked: false } },
    list_api_tokens: { request: { tenant: 'default' } },
    find_api_token: { request: { token_hash: mine.tokenHash }, expected: tenant },
    get_tenant: { request: { name: 'default' } },
    set_tenant_settings: { request: { name: 'default', settings: { quietMs: 1 } } },
    reserve_assistant_spend: { request: { ...tenant, micros: 1, max_micros: 9 } },
    reserve_assistant_call: { request: { ...tenant, minute_max: 9, hour_max: 9 } },
    settle_assistant_spend: {
      request: { ...tenant, day: '2026-11-25', reserved_micros: 0, spent_micros: 1, input_tokens: 1, output_tokens: 1 },
    },
    describe_deployment: { request: {}, isOfDeployment: true },
    distinct_states: { request: {}, isOfDeployment: true },
    list_journals: { request: { ...tenant, machine: 'conversation', limit: 200 } },
    ...Object.fromEntries(reviewing.map(([name, request]) => [name, { request, isOfDeployment: true }])),
    watch_spool: { request: { is_log_down: false } },
    spool_events: {
      request: {
        is_log_down: true,
        events: [{ publication_id: 'x', event: { businessAddress: session.created.businessAddress, userKey: 'b' } }],
      },
    },
    drain_spool: {
      request: { ...fromNode, limit: 5, bytes: 1_000, quiet_ms: 0, closing_ms: 1, published: [] },
    },
    spool_status: { request: {} },
    recall_log: { request: {} },
    observe_log: {
      request: { created: 'c', first_sequence: 1, last_sequence: 2, generation: 1, high: 0, since: '2026-01-01' },
    },
    claim_reconciliation: { request: fromNode },
    finish_reconciliation: { request: { node_id: 'a', incidents: 1 } },
    plan_purge: { request: fromNode },
    record_purge: { request: { node_id: 'b', incarnation: 'c#2', through: 1 } },
    claim_partitions: { request: { ...fromNode, held: owned, renew_only: true } },
    release_partitions: { request: { node_id: 'a', partitions: owned.slice(7) } },
  }
}
