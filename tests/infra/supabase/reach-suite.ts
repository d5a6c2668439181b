/** Who may call what, and what is generated: read from the catalogue. */
import { createClient } from '@supabase/supabase-js'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  catalogueQuery,
  pageFile,
  renderDatabaseTypes,
  renderGeneratedColumnsPage,
  typesFile,
  type Column,
} from '../../../scripts/generated-columns.ts'
import { toCommitPayload } from '../../../src/infra/supabase/commit-payload.ts'
import { readMigrations } from '../../../src/infra/supabase/migrations.ts'
import {
  at,
  batchOf,
  claimAll,
  commandOf,
  conversationSteps,
  newEffect,
  newSession,
  noticeOf,
  opening,
  outbound,
  parkedEvent,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeReach(database: () => DatabaseInUse): void {
  describe('reach', () => {
    test('the schema version is that of the newest migration', async () => {
      expect(await database().store.schemaVersion()).toBe((await readMigrations()).at(-1)?.version)
    })

    test("every function is the service role's alone, and none of the inner ones is anybody's", async () => {
      const rows = await database().sql(`
        select pronamespace::regnamespace::text || '.' || proname as name, pronamespace = 'public'::regnamespace as is_public,
          has_function_privilege('anon', oid, 'execute') as anon,
          has_function_privilege('authenticated', oid, 'execute') as authenticated,
          has_function_privilege('service_role', oid, 'execute') as service,
          coalesce(proacl::text ~ '[{,]=X', proacl is null) as everybody,
          coalesce(array_to_string(proconfig, ',') like '%search_path=%', prolang = (select oid from pg_language where lanname = 'sql')) as is_safe
        from pg_proc where pronamespace in ('public'::regnamespace, 'duologue'::regnamespace)
          and proowner = (select relowner from pg_class where oid = 'duologue.sessions'::regclass)
          and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')`)
      const exposed = rows.filter(({ is_public }) => is_public === true)
      expect(exposed.length).toBeGreaterThan(15)
      expect(
        rows.filter(
          ({ anon, authenticated, everybody }) => anon === true || authenticated === true || everybody === true,
        ),
      ).toEqual([])
      expect(exposed.filter(({ service }) => service !== true)).toEqual([])
      expect(rows.filter(({ is_public, service }) => is_public !== true && service === true)).toEqual([])
      expect(rows.filter(({ is_safe }) => is_safe !== true)).toEqual([])
    })

    test('row-level security is enabled and forced on every table, with a policy for the owner alone', async () => {
      const rows = await database().sql(`
        select relname from pg_class where relnamespace = 'duologue'::regnamespace and relkind in ('r', 'p')
          and not (relrowsecurity and relforcerowsecurity
            and (select array_agg(polroles) from pg_policy where polrelid = pg_class.oid) = array[array[relowner]])`)
      expect(rows).toEqual([])
    })

    test.each(['anon', 'authenticated'])('%s sees no row and calls no function', async (role) => {
      const { store, deployment, sql } = database()
      const owned = await claimAll(database(), 'a')
      await store.commitSteps(batchOf('a', owned, [opening(newSession(deployment), 1)]))
      const relations = await sql(
        `select relname from pg_class where relnamespace = 'duologue'::regnamespace and relkind in ('r', 'v') order by 1`,
      )
      for (const { relname } of relations) {
        // Supabase Lite grants every table to these roles when it finds row-level security: then only that is left.
        await sql(`do $$ begin
          set local role ${role};
          if exists (select from duologue.${String(relname)}) then raise exception '${role} sees a row of ${String(relname)}'; end if;
        exception when insufficient_privilege then null;
        end $$`)
      }
      const call = sql(`do $$ begin set local role ${role}; perform public.list_conversations('{}'); end $$`)
      await expect(call).rejects.toThrow(/permission denied for function/u)
    })

    test('over HTTP the publishable key calls nothing and finds no table', async () => {
      const { http } = database()
      if (http === null) return
      const anybody = createClient(http.url, http.publishableKey)
      const called = await anybody.rpc('list_conversations', { request: {} })
      expect(called.error?.code).toBe('42501')
      expect((await anybody.from('sessions').select()).error).not.toBeNull()
      expect((await anybody.schema('duologue').from('sessions').select()).error).not.toBeNull()
      const service = createClient(http.url, http.secretKey)
      expect((await service.schema('duologue').from('sessions').select()).error).not.toBeNull()
    })
  })

  describe('generated columns', () => {
    const readColumns = async () => (await database().sql(catalogueQuery)) as unknown as readonly Column[]

    test('the row types and the page are what the catalogue says', async () => {
      const columns = await readColumns()
      expect(await readFile(typesFile, 'utf8')).toBe(renderDatabaseTypes(columns))
      expect(await readFile(pageFile, 'utf8')).toBe(renderGeneratedColumnsPage(columns))
    })

    test('no payload names one, and what a payload names is a column or known to the function', async () => {
      const columns = await readColumns()
      const session = newSession(database().deployment)
      const message = outbound(session)
      const commit = opening(session, 1, {
        conversations: [conversationSteps(session, 0, null, ['PENDING', 'EXPIRED'])],
        messages: [message],
        effects: [newEffect(session, 1, 0, { messageId: message.messageId })],
        effectUpdates: [
          { effectId: 'e', status: 'done', attempts: 1, nextAttemptAt: at, outcome: { ok: true }, providerId: 'SM' },
        ],
        deliveries: [{ providerId: 'SM', effectId: 'e', status: 'sent', errorCode: '1', raw: {}, at }],
        commands: [commandOf(session, 'refused')],
        parked: [parkedEvent(1)],
        notices: [
          noticeOf('opted-out', { code: '1', providerId: 'SM', effectId: 'e' }),
          noticeOf('sender-paused', { pauseMs: 1 }),
        ],
        identities: [{ userKey: 'whatsapp:US.1', messageId: message.messageId }],
        identityVersion: 0,
      })
      const payload = toCommitPayload(batchOf('a', [{ partition: 0, epoch: 1 }], [commit]))
      const own: { readonly [list: string]: readonly [table: string, ...extra: string[]] } = {
        partitions: ['partitions'],
        sessions: ['sessions', 'is_new', 'is_quarantined'],
        conversations: ['conversations', 'base_version'],
        journal: ['conversation_events'],
        messages: ['messages'],
        effects: ['effects'],
        effect_updates: ['effects', 'provider_id'],
        deliveries: ['deliveries', 'at'],
        commands: ['commands'],
        identities: ['message_keys'],
        quarantine: ['quarantine'],
        notices: ['opt_outs', 'kind', 'pause_ms'],
      }
      for (const [list, [table, ...extra]] of Object.entries(own)) {
        const written = columns
          .filter((column) => column.table === table && column.expression === null)
          .map(({ name }) => name)
        const named = Object.keys(payload[list as 'sessions'])
        expect(named.length, list).toBeGreaterThan(0)
        expect(
          named.filter((name) => ![...written, ...extra].includes(name)),
          list,
        ).toEqual([])
      }
      expect(Object.keys(payload).toSorted()).toEqual(
        [...Object.keys(own), 'commit_id', 'format', 'lease_ms', 'node_id'].toSorted(),
      )
    })
  })
}
