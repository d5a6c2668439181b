/** What a tenant may set, to the last millisecond. */
import { describe, expect, test } from 'vitest'

import { readRateLimits } from '../../src/machines/conversation/rate.ts'
import { defaultSettings, readLanguage, readSettings } from '../../src/machines/conversation/settings.ts'

const minuteMs = 60_000
const hourMs = 3_600_000
const longestMs = 7_776_000_000

describe('a time', () => {
  test.each([
    ['quietMs', 1_500, 0, minuteMs],
    ['quietMaxMs', 8_000, 0, 10 * minuteMs],
    ['answeringMs', minuteMs, 1, hourMs],
    ['transcribingMs', 45_000, 1, hourMs],
    ['pendingExpiryMs', 48 * hourMs, 1, longestMs],
    ['idleTimeoutMs', 15 * minuteMs, 1, longestMs],
    ['idleExpiryMs', 24 * hourMs, 0, longestMs],
    ['handoffQueueMs', 30 * minuteMs, 1, longestMs],
    ['handoffExpiryMs', 24 * hourMs, 1, longestMs],
  ] as const)('%s is %i ms, and may be from %i to %i', (name, usual, min, max) => {
    expect(readSettings({})[name]).toBe(usual)
    for (const value of [min, max])
      expect(readSettings({ [name]: value })).toEqual({ ...defaultSettings, [name]: value })
    for (const value of [min - 1, max + 1, min + 0.5, String(max), [max], true]) {
      expect(readSettings({ [name]: value })).toEqual(defaultSettings)
    }
  })

  test('of another name is none of ours', () => {
    expect(Object.keys(readSettings({ colourMs: 1 })).toSorted()).toEqual(Object.keys(defaultSettings).toSorted())
  })
})

describe('a limit', () => {
  const usual = { senderPerMinuteMax: 60, senderPerHourMax: 600 }

  test.each([
    ['senderPerMinuteMax', 100_000],
    ['senderPerHourMax', 1_000_000],
  ] as const)('%s is 1 to %i messages', (name, max) => {
    expect(readRateLimits({})).toEqual(usual)
    for (const value of [1, max]) expect(readRateLimits({ [name]: value })).toEqual({ ...usual, [name]: value })
    for (const value of [0, max + 1, 1.5, '7', [7], null]) expect(readRateLimits({ [name]: value })).toEqual(usual)
  })

  test('that is inherited is none', () => {
    expect(readRateLimits(Object.create({ senderPerMinuteMax: 7 }) as Record<string, never>)).toEqual(usual)
  })
})

describe('the language', () => {
  test.each(['pt', 'en', 'es'])('may be %s', (language) => {
    expect(readLanguage({ language })).toBe(language)
  })

  test('is English when none, or another one, is set', () => {
    for (const stored of [{}, { language: 'fr' }, { language: null }, { language: ['pt'] }]) {
      expect(readLanguage(stored)).toBe('en')
    }
    expect(readLanguage(Object.create({ language: 'pt' }) as Record<string, never>)).toBe('en')
  })
})
