/**
 * The provider's accounts of a deployment: its own, which the environment sets, and those of tenants whose channels name
 * an account and a secret of their own. A channel that names neither is reached through the deployment's own account.
 */
import type { ReadModel } from '../actors/read-model.ts'
import type { Administration } from '../infra/supabase/tenants.ts'
import type { NamedSecrets } from '../infra/secrets/named-secrets.ts'

/** `authTokens`: all that are valid now, two while they are being rotated; the first is used to call. */
export type Account = { readonly accountSid: string; readonly authTokens: readonly string[] }

export type Accounts = {
  /** The account of a business address; null when no channel has it. */
  find(businessAddress: string): Promise<Account | null>
  /** Every token that some channel's webhook may be signed with, as known a few seconds ago. */
  knownTokens(): readonly string[]
  /** Which addresses each account has. */
  list(): Promise<readonly { readonly account: Account; readonly businessAddresses: readonly string[] }[]>
  /** Learns of channels; afterwards it does so by itself when it is asked. */
  refresh(): Promise<void>
}

type ChannelAccount = { readonly providerAccount: string | null; readonly tokenSecretName: string | null }

export type AccountsOptions = {
  readonly own: Account
  readonly findChannel: ReadModel['findChannel']
  readonly listTenants: Administration['listTenants']
  readonly secrets: NamedSecrets
  readonly monotonic: () => number
}

const rememberedMs = 3_000

export function createAccounts({ own, findChannel, listTenants, secrets, monotonic }: AccountsOptions): Accounts {
  let secretNames: ReadonlySet<string> = new Set()
  let askedAt = -Infinity
  let asking: Promise<void> | null = null

  /** A channel of another account without a secret has no tokens: nothing can be signed for it. */
  function toAccount({ providerAccount, tokenSecretName }: ChannelAccount): Account {
    const accountSid = providerAccount ?? own.accountSid
    if (tokenSecretName !== null) return { accountSid, authTokens: secrets.read(tokenSecretName) }
    return accountSid === own.accountSid ? own : { accountSid, authTokens: [] }
  }

  async function ask(): Promise<void> {
    askedAt = monotonic()
    const tenants = await listTenants()
    const names = tenants.flatMap(({ channels }) => channels.flatMap(({ tokenSecretName }) => tokenSecretName ?? []))
    secretNames = new Set(names)
  }

  async function refresh(): Promise<void> {
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
  }

  return {
    refresh,
    async find(businessAddress) {
      const channel = await findChannel(businessAddress)
      return channel === null ? null : toAccount(channel)
    },
    knownTokens() {
      // What is not known yet is refused for these seconds, and sent again by the provider.
      if (monotonic() - askedAt > rememberedMs) void refresh().catch(() => {})
      return [...own.authTokens, ...[...secretNames].flatMap((name) => secrets.read(name))]
    },
    async list() {
      const channels = (await listTenants()).flatMap((tenant) => tenant.channels)
      const groups = Map.groupBy(channels, (channel) => JSON.stringify(toAccount(channel)))
      return [...groups].map(([account, of]) => ({
        account: JSON.parse(account) as Account,
        businessAddresses: of.map(({ address }) => address),
      }))
    },
  }
}
