/** `duologue tenant list|add|channel`: who the tenants are, and which business addresses are whose. */
import { readConfig } from '../config.ts'
import { secretNamePattern } from '../infra/secrets/named-secrets.ts'
import type { TenantChannel } from '../infra/supabase/tenants.ts'
import { toBusinessAddress } from '../infra/twilio/address.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'

const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/u
const accountPattern = /^AC[0-9A-Za-z]{1,62}$/u

export async function listTenants(env: CommandCall['env']): Promise<CommandResult> {
  const tenants = await withStore(readConfig(env), { mayMake: false }, async (store) => store.listTenants())
  const lines = tenants.flatMap(({ name, channels }) => [
    name,
    ...channels.map((channel) => `  ${channel.address}${describeAccount(channel)}`),
  ])
  return {
    exitCode: 0,
    value: { items: tenants },
    text: lines.length === 0 ? 'there are no tenants yet' : lines.join('\n'),
  }
}

export async function addTenant(name: string, env: CommandCall['env']): Promise<CommandResult> {
  if (!namePattern.test(name))
    throw new WrongUse('a tenant is named by up to 63 of a-z, 0-9, dots, hyphens, underscores')
  const tenant = await withStore(readConfig(env), { mayMake: true }, async (store) => store.createTenant(name))
  if (tenant === null) throw new Error(`there is a tenant ${name} already`)
  return { exitCode: 0, value: tenant, text: `tenant ${name}, ${tenant.id}` }
}

/** Adds a business address to the tenant, or changes the account and the secret of one that it has. */
export async function setChannel(name: string, { words, options, env }: CommandCall): Promise<CommandResult> {
  const [, , given, ...more] = words
  if (given === undefined || more.length > 0) {
    throw new WrongUse('tenant channel wants a name and a business address')
  }
  const address = toBusinessAddress(given)
  if (address === null)
    throw new WrongUse(`${given} is not a business address such as whatsapp:+14155238886 or sms:+1…`)
  const channel = { address, ...readAccount(options) }
  const outcome = await withStore(readConfig(env), { mayMake: true }, async (store) => store.setChannel(name, channel))
  if (outcome === 'missing') throw unknownTenant(name)
  if (outcome === 'refused') throw new Error(`${address} is another tenant's`)
  const text = `${address} of tenant ${name} ${outcome}${describeAccount(channel)}`
  return { exitCode: 0, value: { tenant: name, ...channel, outcome }, text }
}

export function unknownTenant(name: string): Error {
  return new Error(`there is no tenant ${name}`)
}

/** The account and the name of its secret, where the channel has its own. */
export function describeAccount({ providerAccount, tokenSecretName }: TenantChannel): string {
  const parts = [providerAccount, tokenSecretName === null ? null : `token ${tokenSecretName}`]
  const told = parts.filter((part) => part !== null)
  return told.length === 0 ? '' : `  ${told.join(', ')}`
}

function readAccount(options: CommandCall['options']): Omit<TenantChannel, 'address'> {
  const { account, secret } = options
  if (typeof account === 'string' && !accountPattern.test(account)) {
    throw new WrongUse('--account must be an account sid that begins with AC')
  }
  // The token itself must not stand on a command line, nor in the database.
  if (typeof secret === 'string' && !secretNamePattern.test(secret)) {
    throw new WrongUse('--secret names a secret, env:NAME or file:/path, and is never the secret itself')
  }
  if (typeof account === 'string' && typeof secret !== 'string') {
    throw new WrongUse('an account of its own needs --secret: what signs its webhooks')
  }
  return {
    providerAccount: typeof account === 'string' ? account : null,
    tokenSecretName: typeof secret === 'string' ? secret : null,
  }
}
