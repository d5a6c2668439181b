/**
 * What a tenant may set about its assistant. Read anew for every draft, so a change reaches running conversations.
 * Whatever stands in `tenants.settings`, the result is usable: a value out of its bounds is replaced by the default.
 *
 * Money is in whatever unit the prices are in. A limit without prices counts with the default ones, which are those
 * of a dear model: it then stops too early rather than never.
 */
import { domainToASCII } from 'node:url'

import type { Json, JsonObject } from '../../machines/json.ts'

export type AssistantSettings = {
  /** How long one draft may take, with everything around it. */
  readonly assistantTimeoutMs: number
  /** Tokens that the model may write for one draft. */
  readonly assistantTokensMax: number
  /** Earlier messages of the session that the model sees. */
  readonly assistantMemoryMessages: number
  readonly assistantSpendPerDayMax: number
  /** How often it may be asked for something, all users of the tenant together, in a minute and in an hour of the clock. */
  readonly assistantCallsPerMinuteMax: number
  readonly assistantCallsPerHourMax: number
  /** Price of a million tokens that the model reads. */
  readonly assistantInputPrice: number
  /** Price of a million tokens that the model writes. */
  readonly assistantOutputPrice: number
  /** What the tenant tells its assistant. */
  readonly assistantInstructions: string
  /** Hosts that an answer may name, with everything below them: `example.com`. */
  readonly assistantLinks: readonly string[]
  /** Phone numbers that an answer may name. */
  readonly assistantPhones: readonly string[]
}

export const defaultAssistantSettings: AssistantSettings = {
  assistantTimeoutMs: 20_000,
  assistantTokensMax: 1_000,
  assistantMemoryMessages: 30,
  assistantSpendPerDayMax: 20,
  assistantCallsPerMinuteMax: 600,
  assistantCallsPerHourMax: 10_000,
  assistantInputPrice: 3,
  assistantOutputPrice: 15,
  assistantInstructions: '',
  assistantLinks: [],
  assistantPhones: [],
}

export type AssistantRule = { readonly expected: string; readonly isRight: (value: Json) => boolean }

const instructionsCharactersMax = 4_000
const listMax = 50

export const assistantRules: { readonly [name in keyof AssistantSettings]: AssistantRule } = {
  // undici gives up on a silent server after 300 s by itself.
  assistantTimeoutMs: toWholeNumber('milliseconds', 100, 240_000),
  assistantTokensMax: toWholeNumber('tokens', 50, 16_000),
  assistantMemoryMessages: toWholeNumber('messages', 0, 100),
  assistantSpendPerDayMax: toAmount(1_000_000),
  assistantCallsPerMinuteMax: toWholeNumber('calls', 1, 1_000_000),
  assistantCallsPerHourMax: toWholeNumber('calls', 1, 10_000_000),
  assistantInputPrice: toAmount(10_000),
  assistantOutputPrice: toAmount(10_000),
  assistantInstructions: {
    expected: `a text of up to ${instructionsCharactersMax} characters`,
    isRight: (value) =>
      typeof value === 'string' &&
      value.length <= instructionsCharactersMax &&
      value.isWellFormed() &&
      !value.includes('\u0000'),
  },
  assistantLinks: toList('host names, ["example.com"]', (value) => toHost(value) !== null),
  assistantPhones: toList('phone numbers, ["+55 11 3000-0000"]', (value) => /^\+?[\d\s().-]{5,40}$/u.test(value)),
}

export function readAssistantSettings(stored: JsonObject): AssistantSettings {
  const names = Object.keys(assistantRules) as (keyof AssistantSettings)[]
  const right = names.flatMap((name) => {
    const value = Object.hasOwn(stored, name) ? stored[name] : undefined
    return value !== undefined && assistantRules[name].isRight(value) ? [[name, value] as const] : []
  })
  return { ...defaultAssistantSettings, ...Object.fromEntries(right) }
}

/** The name in the form in which it is compared; null when it is none. */
export function toHost(name: string): string | null {
  const host = domainToASCII(name.toLowerCase())
  return /^(?=.{4,253}$)(?:[a-z0-9_-]{1,63}\.)+[a-z0-9-]{2,63}$/u.test(host) ? host : null
}

function toWholeNumber(unit: string, min: number, max: number): AssistantRule {
  return {
    expected: `a whole number of ${unit} from ${min} to ${max}`,
    isRight: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max,
  }
}

function toAmount(max: number): AssistantRule {
  return {
    expected: `a number from 0 to ${max}`,
    isRight: (value) => typeof value === 'number' && value >= 0 && value <= max,
  }
}

function toList(what: string, isRight: (value: string) => boolean): AssistantRule {
  return {
    expected: `a list of up to ${listMax} ${what}`,
    isRight: (value) =>
      Array.isArray(value) &&
      value.length <= listMax &&
      (value as readonly Json[]).every((entry) => typeof entry === 'string' && isRight(entry)),
  }
}
