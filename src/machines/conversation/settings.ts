/**
 * What a tenant may set about its conversations, with the defaults of the lifecycle. Settings are read
 * once, when a conversation opens, and kept in its context: a later change of the tenant's settings
 * reaches new conversations only, and a replay of the journal needs nothing but the journal.
 *
 * Whatever stands in `tenants.settings`, the result is usable: a value that is not a whole number of
 * milliseconds within its bounds is replaced by the default.
 */
import type { Json, JsonObject } from '../json.ts'
import { isLanguage } from './language.ts'
import type { Language } from './language.ts'

export type Settings = {
  /** A turn is complete when the user was quiet for so long … */
  readonly quietMs: number
  /** … or so long after its first message, whatever comes first. */
  readonly quietMaxMs: number
  /** How long one draft may take. */
  readonly answeringMs: number
  /** How long reading the voice messages of a turn may take, each time. */
  readonly transcribingMs: number
  readonly pendingExpiryMs: number
  readonly idleTimeoutMs: number
  readonly idleExpiryMs: number
  readonly handoffQueueMs: number
  readonly handoffExpiryMs: number
}

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

export const defaultSettings: Settings = {
  quietMs: 1_500,
  quietMaxMs: 8 * secondMs,
  answeringMs: 60 * secondMs,
  transcribingMs: 45 * secondMs,
  pendingExpiryMs: 48 * hourMs,
  idleTimeoutMs: 15 * minuteMs,
  idleExpiryMs: 24 * hourMs,
  handoffQueueMs: 30 * minuteMs,
  handoffExpiryMs: 24 * hourMs,
}

/** Inclusive. A quiet time of 0 answers every message at once; with an idle expiry of 0 silence ends the conversation without idling. */
export const settingBounds: { readonly [name in keyof Settings]: readonly [min: number, max: number] } = {
  quietMs: [0, minuteMs],
  quietMaxMs: [0, 10 * minuteMs],
  answeringMs: [1, hourMs],
  transcribingMs: [1, hourMs],
  pendingExpiryMs: [1, 90 * dayMs],
  idleTimeoutMs: [1, 90 * dayMs],
  idleExpiryMs: [0, 90 * dayMs],
  handoffQueueMs: [1, 90 * dayMs],
  handoffExpiryMs: [1, 90 * dayMs],
}

export function readSettings(stored: JsonObject): Settings {
  const settings = { ...defaultSettings }
  for (const name of Object.keys(defaultSettings) as (keyof Settings)[]) {
    const value = Object.hasOwn(stored, name) ? stored[name] : undefined
    if (isWithin(value, settingBounds[name])) settings[name] = value
  }
  return settings
}

/** The language of the tenant's own sentences until the user has shown another one. */
export function readLanguage(stored: JsonObject): Language {
  const language = Object.hasOwn(stored, 'language') ? stored['language'] : undefined
  return isLanguage(language) ? language : 'en'
}

function isWithin(value: Json | undefined, [min, max]: readonly [number, number]): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}
