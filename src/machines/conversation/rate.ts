/**
 * How often one user may ask the assistant for something. Counted in the conversation, by the events' own moments, and
 * handed on to the user's next conversation: so a replay counts the same, and so does whoever owns the session next.
 *
 * Windows are fixed: each begins with the first message after the one before has ended. What is over a limit does
 * not count, so a flood ends when its window does.
 */
import type { JsonObject } from '../json.ts'

export type RateLimits = { readonly senderPerMinuteMax: number; readonly senderPerHourMax: number }

export type Rate = {
  /** When the windows began, and what was taken in them. */
  readonly minuteAt: number
  readonly minuteCount: number
  readonly hourAt: number
  readonly hourCount: number
  /** The user knows already, until this moment. */
  readonly toldUntil: number
}

export const noRate: Rate = { minuteAt: 0, minuteCount: 0, hourAt: 0, hourCount: 0, toldUntil: 0 }

const minuteMs = 60_000
const hourMs = 3_600_000

export const defaultRateLimits: RateLimits = { senderPerMinuteMax: 60, senderPerHourMax: 600 }

/** Inclusive, messages. */
export const rateLimitBounds: { readonly [name in keyof RateLimits]: readonly [min: number, max: number] } = {
  senderPerMinuteMax: [1, 100_000],
  senderPerHourMax: [1, 1_000_000],
}

/** Of `tenants.settings`: what is out of its bounds is replaced by the default. */
export function readRateLimits(stored: JsonObject): RateLimits {
  const read = (name: keyof RateLimits): number => {
    const value = Object.hasOwn(stored, name) ? stored[name] : undefined
    const [min, max] = rateLimitBounds[name]
    const isRight = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    return isRight ? value : defaultRateLimits[name]
  }
  return { senderPerMinuteMax: read('senderPerMinuteMax'), senderPerHourMax: read('senderPerHourMax') }
}

export function isTooMany(rate: Rate, at: number, limits: RateLimits): boolean {
  const now = roll(rate, at)
  return now.minuteCount >= limits.senderPerMinuteMax || now.hourCount >= limits.senderPerHourMax
}

export function countMessage(rate: Rate, at: number): Rate {
  const now = roll(rate, at)
  return { ...now, minuteCount: now.minuteCount + 1, hourCount: now.hourCount + 1 }
}

/** The user is told that there were too many: once until the exceeded window ends. */
export function noteTold(rate: Rate, at: number, limits: RateLimits): Rate {
  const now = roll(rate, at)
  const isHour = now.hourCount >= limits.senderPerHourMax
  return { ...now, toldUntil: isHour ? now.hourAt + hourMs : now.minuteAt + minuteMs }
}

/** The same for a window of the tenant's, which nobody here knows the beginning of. */
export function noteToldFor(rate: Rate, at: number, window: 'minute' | 'hour'): Rate {
  return { ...rate, toldUntil: at + (window === 'hour' ? hourMs : minuteMs) }
}

function roll(rate: Rate, at: number): Rate {
  const isMinuteOver = at >= rate.minuteAt + minuteMs
  const isHourOver = at >= rate.hourAt + hourMs
  return {
    ...rate,
    ...(isMinuteOver && { minuteAt: at, minuteCount: 0 }),
    ...(isHourOver && { hourAt: at, hourCount: 0 }),
  }
}
