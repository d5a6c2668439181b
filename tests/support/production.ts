/**
 * A service as in production, on loopback: its own process, a NATS server and PostgreSQL 15 behind Supabase
 * Lite's HTTP server in processes of their own. `sql` and `nats` reach both without Duologue.
 */
import type { Sql, TestDatabase } from './database.ts'
import { openTestDatabase } from './database.ts'
import { findFreePort } from './postgres.ts'
import { startTestNats } from './nats.ts'
import type { TestNats } from './nats.ts'
import { makeTemporaryFolder, startFakeTwilio, startService } from './service.ts'
import type { FakeTwilioProcess, ServiceProcess } from './service.ts'

export type Production = {
  readonly fake: FakeTwilioProcess
  readonly nats: TestNats
  readonly database: TestDatabase
  readonly sql: Sql
  /** Another node of the same deployment when one runs already. */
  start(env?: { readonly [name: string]: string }): Promise<ServiceProcess>
  set(settings: object): Promise<void>
  remove(): Promise<void>
}

export async function createProduction(): Promise<Production> {
  const [folder, fake, nats, database] = await Promise.all([
    makeTemporaryFolder(),
    startFakeTwilio(),
    startTestNats(),
    openTestDatabase('postgres'),
  ])
  const running = new Set<ServiceProcess>()
  const env = {
    NATS_URL: nats.url.replace('://', `://${nats.user}:${nats.pass}@`),
    SUPABASE_URL: database.http?.url ?? '',
    SUPABASE_SECRET_KEY: database.http?.secretKey ?? '',
    DUOLOGUE_LEASE_MS: '1000',
  }
  return {
    fake,
    nats,
    database,
    sql: database.sql,
    async start(more = {}) {
      const port = await findFreePort()
      const service = await startService({ dataDir: folder.path, fake, port, env: { ...env, ...more } })
      running.add(service)
      return service
    },
    async set(settings) {
      await database.sql(
        `insert into duologue.tenants (name, settings) values ('default', $1::text::jsonb)
        on conflict (name) do update set settings = excluded.settings`,
        [JSON.stringify(settings)],
      )
    },
    async remove() {
      for (const service of running) if (service.child.exitCode === null) await service.stop()
      await Promise.all([fake.stop(), nats.stop(), database.close()])
      await folder.remove()
    },
  }
}

/** A form as Twilio sends it for a WhatsApp text: the fields of real traffic. */
export function toForm(fields: Record<string, string> = {}): Record<string, string> {
  const sid = `SM${crypto.randomUUID().replaceAll('-', '')}`
  return {
    SmsMessageSid: sid,
    NumMedia: '0',
    ProfileName: 'Ana',
    MessageType: 'text',
    SmsSid: sid,
    WaId: '15005550006',
    SmsStatus: 'received',
    Body: 'hello',
    To: 'whatsapp:+14155238886',
    NumSegments: '1',
    ReferralNumMedia: '0',
    MessageSid: sid,
    AccountSid: `AC${'1'.repeat(32)}`,
    ChannelMetadata: '{"type":"whatsapp","data":{"context":{}}}',
    From: 'whatsapp:+15005550006',
    // Each user has one of his own.
    ExternalUserId: toExternalUserId(fields['From'] ?? 'whatsapp:+15005550006'),
    ApiVersion: '2010-04-01',
    ...fields,
  }
}

function toExternalUserId(from: string): string {
  return from.startsWith('whatsapp:+') ? `whatsapp:US.${from.slice('whatsapp:+'.length)}` : from
}

export const messagesPath = '/webhooks/twilio/messages'
