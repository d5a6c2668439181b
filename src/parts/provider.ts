/**
 * The messaging provider of a deployment: Twilio as the settings name it, or the built-in phone, whose fake
 * Twilio signs and answers like the real one and is reached over HTTP like the real one.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import type { MediaOfAccounts } from '../actors/media-fetcher.ts'
import type { EffectPerformer, EventPublisher, LoggedMessage, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import type { PhoneService } from '../infra/http/phone-routes.ts'
import { createFakeTwilio } from '../infra/phone/fake-twilio.ts'
import { createPhone } from '../infra/phone/phone.ts'
import { processClock } from '../infra/process/clock.ts'
import { processIds } from '../infra/process/ids.ts'
import { createNamedSecrets } from '../infra/secrets/named-secrets.ts'
import { toUserKey } from '../infra/twilio/address.ts'
import { listReceivedMessages } from '../infra/twilio/received-messages.ts'
import { createRestConnection } from '../infra/twilio/rest-connection.ts'
import { createTwilioSender } from '../infra/twilio/sender.ts'
import type { TwilioSender } from '../infra/twilio/sender.ts'
import { createTwilioWebhook } from '../infra/twilio/webhook.ts'
import type { TwilioWebhook } from '../infra/twilio/webhook.ts'
import { createAccounts } from './accounts.ts'
import type { Account, Accounts } from './accounts.ts'
import type { DatabasePart } from './database.ts'
import { openMediaOfAccounts } from './media.ts'

export type ProviderPart = {
  readonly numbers: readonly string[]
  readonly description: string
  /** Null where a real provider is configured. */
  readonly phone: PhoneService | null
  openWebhook(publicUrl: string): TwilioWebhook
  /** Reads the media of messages, from the provider and these hosts, through the account of the business address. */
  openMedia(hosts: readonly string[], telemetry: Telemetry): MediaOfAccounts
  /** Sends through the account of the business address. */
  openSender(publicUrl: string): EffectPerformer
  readonly accounts: Accounts
  /** What users sent to our numbers since then, as the provider's own list has it; oldest first. */
  listReceived(since: number): Promise<readonly LoggedMessage[]>
  close(): Promise<void>
}

const phoneNumbers = ['whatsapp:+14155238886', 'sms:+14155238886']
const phoneAccount = `AC${'0'.repeat(32)}`
const sendTimeoutMs = 10_000
const retryAfterMs = 2_000

export async function openProvider(
  config: Config,
  folder: DataFolder | null,
  database: Pick<DatabasePart, 'repository' | 'administration'>,
  publisher: EventPublisher,
): Promise<ProviderPart> {
  return config.twilio === null ? openPhone(folder, database, publisher) : openTwilio(config.twilio, database)
}

type Database = Pick<DatabasePart, 'repository' | 'administration'>

function openTwilio(twilio: NonNullable<Config['twilio']>, database: Database): ProviderPart {
  const { accountSid, authTokens, numbers, apiUrl } = twilio
  const accounts = openAccounts({ accountSid, authTokens }, database)
  return {
    numbers,
    description: `${apiUrl ?? 'Twilio'}, account ${accountSid.slice(0, 6)}…`,
    phone: null,
    ...openAccess(accounts, { accountSid, authTokens }, apiUrl, database),
  }
}

async function openPhone(
  folder: DataFolder | null,
  database: Database,
  publisher: EventPublisher,
): Promise<ProviderPart> {
  if (folder === null) throw new Error('the built-in phone needs the data folder')
  const authToken = folder.readOrCreateSecret('phone-auth-token', () => randomBytes(16).toString('hex'))
  const fake = await createFakeTwilio({
    accountSid: phoneAccount,
    authToken,
    ledgerFile: join(folder.path, 'phone.jsonl'),
    clock: processClock,
    webhookBase: null,
  })
  const own = { accountSid: phoneAccount, authTokens: [authToken] }
  const access = openAccess(openAccounts(own, database), own, fake.url, database)
  return {
    ...access,
    numbers: phoneNumbers,
    description: `the built-in phone, a fake Twilio at ${fake.url}`,
    phone: createPhone({
      fakeTwilio: fake,
      publisher,
      ids: processIds,
      businessAddresses: phoneNumbers,
      toUserKey,
    }),
    openWebhook(publicUrl) {
      fake.setWebhookBase(publicUrl)
      return access.openWebhook(publicUrl)
    },
    async close() {
      await access.close()
      await fake.close()
    },
  }
}

function openAccounts(own: Account, { repository, administration }: Database): Accounts {
  const monotonic = (): number => processClock.monotonic()
  const secrets = createNamedSecrets((name) => process.env[name]?.trim() || null, monotonic)
  const { findChannel } = repository
  return createAccounts({ own, findChannel, listTenants: administration.listTenants, secrets, monotonic })
}

type AccountAccess = Pick<
  ProviderPart,
  'accounts' | 'openWebhook' | 'openSender' | 'openMedia' | 'listReceived' | 'close'
>

/** The webhooks, the sends and the lists of all accounts. */
function openAccess(
  accounts: Accounts,
  { accountSid, authTokens }: Account,
  apiUrl: string | null,
  { repository }: Database,
): AccountAccess {
  const senders = new Map<string, TwilioSender>()
  const senderOf = (account: Account, publicUrl: string): TwilioSender => {
    const [authToken = ''] = account.authTokens
    const name = `${account.accountSid} ${authToken}`
    const sender = senders.get(name) ?? createSender({ ...account, authToken, apiUrl }, publicUrl, repository)
    senders.set(name, sender)
    return sender
  }
  return {
    accounts,
    openWebhook: (publicUrl) =>
      createTwilioWebhook({
        accountSid,
        authTokens,
        publicUrl: () => publicUrl,
        otherTokens: () => accounts.knownTokens(),
      }),
    openSender(publicUrl) {
      const find = async (businessAddress: string): Promise<TwilioSender> => {
        const account = await accounts.find(businessAddress)
        if (account === null) throw new Error('no channel has the address that the message is sent from')
        return senderOf(account, publicUrl)
      }
      return {
        isVisible: true,
        perform: async (request) => {
          const sender = await find(request.session.businessAddress).catch((error: unknown) => error)
          // Nothing was sent: the account could not be looked up.
          if (sender instanceof Error) return { kind: 'retry', afterMs: retryAfterMs, reason: sender.message }
          return (sender as TwilioSender).perform(request)
        },
        resolve: async (request) => (await find(request.session.businessAddress)).resolve(request),
      }
    },
    openMedia: (hosts, telemetry) => openMediaOfAccounts({ accounts, apiUrl, hosts, telemetry }),
    async listReceived(since) {
      const lists = (await accounts.list()).flatMap(({ account, businessAddresses }) => {
        const [authToken] = account.authTokens
        if (authToken === undefined) return []
        return [listReceived({ accountSid: account.accountSid, authToken, apiUrl }, businessAddresses, since)]
      })
      return (await Promise.all(lists)).flat().toSorted((one, other) => one.receivedAt - other.receivedAt)
    },
    async close() {
      for (const sender of senders.values()) sender.close()
    },
  }
}

function createSender(
  account: { accountSid: string; authToken: string; apiUrl: string | null },
  publicUrl: string,
  store: Pick<DatabasePart['repository'], 'findKnownProviderIds'>,
): TwilioSender {
  return createTwilioSender({
    ...account,
    statusCallbackBase: () => publicUrl,
    timeoutMs: sendTimeoutMs,
    clock: processClock,
    random: Math.random,
    findKnownProviderIds: async (channelId, providerIds) => store.findKnownProviderIds(channelId, providerIds),
  })
}

async function listReceived(
  account: { accountSid: string; authToken: string; apiUrl: string | null },
  numbers: readonly string[],
  since: number,
): Promise<readonly LoggedMessage[]> {
  const connection = createRestConnection({ clock: processClock, timeoutMs: sendTimeoutMs })
  try {
    return await listReceivedMessages({ ...account, connection }, numbers, since)
  } finally {
    connection.close()
  }
}
