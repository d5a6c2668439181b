/**
 * The messaging provider of a deployment: Twilio as the settings name it, or the built-in phone, whose fake
 * Twilio signs and answers like the real one and is reached over HTTP like the real one.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import type { MediaFetcher } from '../actors/media-fetcher.ts'
import type { EventPublisher, LoggedMessage, Store, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import type { DataFolder } from '../infra/data-folder/data-folder.ts'
import type { PhoneService } from '../infra/http/phone-routes.ts'
import { createMediaFetcher } from '../infra/media/media-fetcher.ts'
import { createFakeTwilio } from '../infra/phone/fake-twilio.ts'
import { createPhone } from '../infra/phone/phone.ts'
import { processClock } from '../infra/process/clock.ts'
import { processIds } from '../infra/process/ids.ts'
import { toUserKey } from '../infra/twilio/address.ts'
import { listReceivedMessages } from '../infra/twilio/received-messages.ts'
import { createRestConnection } from '../infra/twilio/rest-connection.ts'
import { createTwilioSender } from '../infra/twilio/sender.ts'
import type { TwilioSender } from '../infra/twilio/sender.ts'
import { createTwilioWebhook } from '../infra/twilio/webhook.ts'
import type { TwilioWebhook } from '../infra/twilio/webhook.ts'

export type ProviderPart = {
  readonly numbers: readonly string[]
  readonly description: string
  /** Null where a real provider is configured. */
  readonly phone: PhoneService | null
  openWebhook(publicUrl: string): TwilioWebhook
  openSender(publicUrl: string): TwilioSender
  /** Reads the media of messages, from the provider and these hosts. */
  openMedia(hosts: readonly string[], telemetry: Telemetry): MediaFetcher
  /** What users sent to our numbers since then, as the provider's own list has it; oldest first. */
  listReceived(since: number): Promise<readonly LoggedMessage[]>
  close(): Promise<void>
}

const phoneNumbers = ['whatsapp:+14155238886', 'sms:+14155238886']
const phoneAccount = `AC${'0'.repeat(32)}`
const sendTimeoutMs = 10_000

export async function openProvider(
  config: Config,
  folder: DataFolder | null,
  store: Pick<Store, 'findKnownProviderIds'>,
  publisher: EventPublisher,
): Promise<ProviderPart> {
  return config.twilio === null ? openPhone(folder, store, publisher) : openTwilio(config.twilio, store)
}

function openTwilio(twilio: NonNullable<Config['twilio']>, store: Pick<Store, 'findKnownProviderIds'>): ProviderPart {
  const [authToken = ''] = twilio.authTokens
  const { accountSid, authTokens, numbers, apiUrl } = twilio
  let sender: TwilioSender | null = null
  return {
    numbers,
    description: `${apiUrl ?? 'Twilio'}, account ${accountSid.slice(0, 6)}…`,
    phone: null,
    openWebhook: (publicUrl) => createTwilioWebhook({ accountSid, authTokens, publicUrl: () => publicUrl }),
    openSender(publicUrl) {
      sender = createSender({ accountSid, authToken, apiUrl }, publicUrl, store)
      return sender
    },
    openMedia: (hosts, telemetry) => openMedia({ accountSid, authToken, apiUrl }, hosts, telemetry),
    listReceived: async (since) => listReceived({ accountSid, authToken, apiUrl }, numbers, since),
    async close() {
      sender?.close()
    },
  }
}

async function openPhone(
  folder: DataFolder | null,
  store: Pick<Store, 'findKnownProviderIds'>,
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
  const account = { accountSid: phoneAccount, authToken, apiUrl: fake.url }
  let sender: TwilioSender | null = null
  return {
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
      return createTwilioWebhook({ accountSid: phoneAccount, authTokens: [authToken], publicUrl: () => publicUrl })
    },
    openSender(publicUrl) {
      sender = createSender(account, publicUrl, store)
      return sender
    },
    openMedia: (hosts, telemetry) => openMedia(account, hosts, telemetry),
    listReceived: async (since) => listReceived(account, phoneNumbers, since),
    async close() {
      sender?.close()
      await fake.close()
    },
  }
}

function createSender(
  account: { accountSid: string; authToken: string; apiUrl: string | null },
  publicUrl: string,
  store: Pick<Store, 'findKnownProviderIds'>,
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

/** Media is addressed at Twilio itself, also where its API is called by way of another base URL. */
const twilioOrigin = 'https://api.twilio.com'

function openMedia(
  { accountSid, authToken, apiUrl }: { accountSid: string; authToken: string; apiUrl: string | null },
  hosts: readonly string[],
  telemetry: Telemetry,
): MediaFetcher {
  const ours = apiUrl === null ? [] : [{ origin: new URL(apiUrl).origin, isTrusted: true }]
  const apis = [...ours, { origin: twilioOrigin, isTrusted: false }]
  return createMediaFetcher({ policy: { hosts, apis, accountSid }, authToken, clock: processClock, telemetry })
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
