/** What may be set for a tenant, checked before it is written: a typo must not wait for a conversation to be found. */
import { assistantRules } from '../infra/ai/assistant-settings.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import { isLanguage, languages } from '../machines/conversation/language.ts'
import { rateLimitBounds } from '../machines/conversation/rate.ts'
import { settingBounds } from '../machines/conversation/settings.ts'
import { readPhrases } from '../machines/conversation/tenant-phrases.ts'
import { registeredMachines } from '../machines/registered.ts'
import { WrongUse } from './command.ts'

type Rule = { readonly expected: string; readonly isRight: (value: Json) => boolean }

const textCharactersMax = 1_000

/** The settings that the conversation machine, the assistants and the host read, by name. */
export const settingRules: { readonly [name: string]: Rule } = {
  ...Object.fromEntries(Object.entries(settingBounds).map(([name, bounds]) => [name, toDurationRule(bounds)])),
  ...Object.fromEntries(Object.entries(rateLimitBounds).map(([name, bounds]) => [name, toCountRule(bounds)])),
  language: { expected: `one of ${languages.join(', ')}`, isRight: isLanguage },
  ...assistantRules,
  openingHours: {
    expected: `a text of 1 to ${textCharactersMax} characters`,
    isRight: (value) => typeof value === 'string' && isText(value),
  },
  phrases: {
    expected:
      'lists of phrases by what they do, {"close": ["fim do papo"]}: close, thanks, person, stop, start, filler',
    isRight: (value) =>
      typeof value === 'object' &&
      value !== null &&
      JSON.stringify(readPhrases({ phrases: value })) === JSON.stringify(value),
  },
  effectWeight: {
    expected: 'a number from 0.001 to 1000',
    isRight: (value) => typeof value === 'number' && value >= 0.001 && value <= 1_000,
  },
  paceIntervalMs: toDurationRule([0, 600_000]),
  paceBurst: toCountRule([1, 1_000]),
  machine: toMachineRule(Object.keys(registeredMachines)),
}

/**
 * `name=value` words as an object; null takes a setting away. Throws `WrongUse` with a sentence. `machines`: those that
 * the deployment has.
 */
export function readSettingChanges(
  words: readonly string[],
  machines: readonly string[] = Object.keys(registeredMachines),
): JsonObject {
  const rules = { ...settingRules, machine: toMachineRule(machines) }
  const changes: { [name: string]: Json } = {}
  for (const word of words) {
    const [, name, text] = /^([^=]+)=(.*)$/su.exec(word) ?? []
    if (name === undefined || text === undefined) throw new WrongUse(`${word} is not of the form <setting>=<value>`)
    changes[name] = readValue(rules, name, text)
  }
  return changes
}

function readValue(rules: typeof settingRules, name: string, text: string): Json {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (rule === undefined) {
    throw new WrongUse(`there is no setting ${name}; there are ${Object.keys(settingRules).join(', ')}`)
  }
  const value = parse(text)
  if (value === null || rule.isRight(value)) return value
  // What looks like JSON may be meant as text: openingHours=24
  if (rule.isRight(text)) return text
  throw new WrongUse(`${name} must be ${rule.expected}, or null for its default`)
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function toMachineRule(machines: readonly string[]): Rule {
  return {
    expected: `one of ${machines.join(', ')}`,
    isRight: (value) => typeof value === 'string' && machines.includes(value),
  }
}

function toDurationRule(bounds: readonly [number, number]): Rule {
  return toWholeNumberRule('milliseconds', bounds)
}

function toCountRule(bounds: readonly [number, number]): Rule {
  return toWholeNumberRule('messages', bounds)
}

function toWholeNumberRule(unit: string, [min, max]: readonly [number, number]): Rule {
  return {
    expected: `a whole number of ${unit} from ${min} to ${max}`,
    isRight: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max,
  }
}

/** What PostgreSQL's jsonb can hold. */
function isText(value: string): boolean {
  return value !== '' && value.length <= textCharactersMax && value.isWellFormed() && !value.includes('\u0000')
}
