/**
 * `duologue tenant`: who the tenants are, what is set for each beside the defaults, the business addresses that they own
 * and the names of the secrets that sign for them, and their API tokens. No secret is ever stored.
 */
import { readConfig } from '../config.ts'
import { defaultAssistantSettings } from '../infra/ai/assistant-settings.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import { defaultSettings } from '../machines/conversation/settings.ts'
import { registeredMachines } from '../machines/registered.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { loadMachines } from '../parts/machines.ts'
import { addToken, listTokens, revokeToken } from './tenant-access.ts'
import { addTenant, describeAccount, listTenants, setChannel, unknownTenant } from './tenant-directory.ts'
import { withStore } from './open-store.ts'
import { readSettingChanges } from './tenant-settings.ts'

const defaults = { ...defaultSettings, ...defaultAssistantSettings }

const wanted =
  'tenant wants `list`, `add <name>`, `show <name>`, `set <name> <setting>=<value>…`, `channel <name> <address>` or `token <name> add|revoke|list`'

export async function runTenant(call: CommandCall): Promise<CommandResult> {
  const { words, env } = call
  const [verb, name, ...more] = words
  if (verb === 'list' && name === undefined) return listTenants(env)
  if (name === undefined || verb === undefined) throw new WrongUse(wanted)
  switch (verb) {
    case 'add':
      if (more.length > 0) throw new WrongUse(wanted)
      return addTenant(name, env)
    case 'show':
      if (more.length > 0) throw new WrongUse(wanted)
      return show(name, env)
    case 'set': {
      if (more.length === 0) throw new WrongUse(wanted)
      const machines = more.some(isMachine) ? await loadMachines(readConfig(env).machines) : registeredMachines
      return set(name, readSettingChanges(more, Object.keys(machines)), env)
    }
    case 'channel':
      return setChannel(name, call)
    case 'token':
      return runToken(name, more, env)
    default:
      throw new WrongUse(wanted)
  }
}

async function runToken(name: string, words: readonly string[], env: CommandCall['env']): Promise<CommandResult> {
  const [action, token, ...more] = words
  if (more.length > 0 || (token === undefined) !== (action === 'list')) throw new WrongUse(wanted)
  if (action === 'list') return listTokens(name, env)
  if (action === 'add' && token !== undefined) return addToken(name, token, env)
  if (action === 'revoke' && token !== undefined) return revokeToken(name, token, env)
  throw new WrongUse(wanted)
}

function isMachine(change: string): boolean {
  return change.startsWith('machine=')
}

async function show(name: string, env: CommandCall['env']): Promise<CommandResult> {
  const [tenant, tenants] = await withStore(readConfig(env), { mayMake: false }, async (store) =>
    Promise.all([store.getTenant(name), store.listTenants()]),
  )
  if (tenant === null) throw unknownTenant(name)
  const accounts = tenants.find((one) => one.id === tenant.id)?.channels ?? []
  const { id, settings, channels } = tenant
  const lines = channels.map(({ address, settings: own }) => {
    const account = accounts.find((one) => one.address === address)
    return `  ${address}${account === undefined ? '' : describeAccount(account)}${toSuffix(own)}`
  })
  const text = [`tenant ${name}`, ...describeSettings(settings), 'business addresses', ...lines].join('\n')
  return { exitCode: 0, value: { id, name, settings, defaults, channels, accounts }, text }
}

async function set(name: string, changes: JsonObject, env: CommandCall['env']): Promise<CommandResult> {
  const settings = await withStore(readConfig(env), { mayMake: true }, async (store) =>
    store.setTenantSettings(name, changes),
  )
  if (settings === null) throw unknownTenant(name)
  const text = [`tenant ${name}, for conversations that open from now on`, ...describeSettings(settings)].join('\n')
  return { exitCode: 0, value: { name, settings, defaults }, text }
}

function describeSettings(settings: JsonObject): string[] {
  const all: { [name: string]: Json } = { ...defaults, ...settings }
  const width = Math.max(...Object.keys(all).map((name) => name.length))
  return Object.entries(all).map(([name, value]) => {
    const remark = Object.hasOwn(settings, name) ? '' : '  (default)'
    return `  ${name.padEnd(width)}  ${JSON.stringify(value)}${remark}`
  })
}

function toSuffix(settings: JsonObject): string {
  return Object.keys(settings).length === 0 ? '' : `  ${JSON.stringify(settings)}`
}
