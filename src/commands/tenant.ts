/** `duologue tenant show|set`: what is set for a tenant, beside the defaults. */
import { readConfig } from '../config.ts'
import { defaultAssistantSettings } from '../infra/ai/assistant-settings.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import { defaultSettings } from '../machines/conversation/settings.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { readSettingChanges } from './tenant-settings.ts'

const defaults = { ...defaultSettings, ...defaultAssistantSettings }

export async function runTenant({ words, env }: CommandCall): Promise<CommandResult> {
  const [verb, name, ...changes] = words
  const isWhole = name !== undefined && (verb === 'show' ? changes.length === 0 : changes.length > 0)
  if ((verb !== 'show' && verb !== 'set') || !isWhole) {
    throw new WrongUse('tenant wants `show <name>` or `set <name> <setting>=<value>…`')
  }
  return verb === 'show' ? show(name, env) : set(name, readSettingChanges(changes), env)
}

async function show(name: string, env: CommandCall['env']): Promise<CommandResult> {
  const tenant = await withStore(readConfig(env), { mayMake: false }, async (store) => store.getTenant(name))
  if (tenant === null) throw unknownTenant(name)
  const { id, settings, channels } = tenant
  const lines = channels.map(({ address, settings: own }) => `  ${address}${toSuffix(own)}`)
  const text = [`tenant ${name}`, ...describeSettings(settings), 'business addresses', ...lines].join('\n')
  return { exitCode: 0, value: { id, name, settings, defaults, channels }, text }
}

async function set(name: string, changes: JsonObject, env: CommandCall['env']): Promise<CommandResult> {
  const settings = await withStore(readConfig(env), { mayMake: true }, async (store) =>
    store.setTenantSettings(name, changes),
  )
  if (settings === null) throw unknownTenant(name)
  const text = [`tenant ${name}, for conversations that open from now on`, ...describeSettings(settings)].join('\n')
  return { exitCode: 0, value: { name, settings, defaults }, text }
}

function unknownTenant(name: string): Error {
  return new Error(`there is no tenant ${name}`)
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
