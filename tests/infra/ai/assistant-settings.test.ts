import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readSettingChanges } from '../../../src/commands/tenant-settings.ts'
import {
  assistantRules,
  defaultAssistantSettings,
  readAssistantSettings,
} from '../../../src/infra/ai/assistant-settings.ts'
import type { JsonObject } from '../../../src/machines/json.ts'

describe('what a tenant may set about its assistant', () => {
  test('every default keeps its own rule', () => {
    for (const [name, { isRight }] of Object.entries(assistantRules)) {
      expect(isRight(defaultAssistantSettings[name as keyof typeof assistantRules] as never), name).toBe(true)
    }
  })

  test('whatever is stored, what is read keeps every rule', () => {
    const names = fc.constantFrom(...Object.keys(assistantRules), '__proto__', 'other')
    const values = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.array(fc.domain()), fc.string())
    fc.assert(
      fc.property(fc.dictionary(names, values), (stored) => {
        const settings = readAssistantSettings(stored as JsonObject)
        expect(Object.keys(settings).toSorted()).toEqual(Object.keys(defaultAssistantSettings).toSorted())
        for (const [name, { isRight }] of Object.entries(assistantRules)) {
          expect(isRight(settings[name as keyof typeof settings] as never), name).toBe(true)
        }
      }),
    )
  })

  test('is taken by the command line', () => {
    expect(
      readSettingChanges([
        'assistantTimeoutMs=5000',
        'assistantSpendPerDayMax=2.5',
        'assistantInstructions=We sell bicycles. Say "hi".',
        'assistantLinks=["example.com", "bücher.example"]',
        'assistantPhones=["+55 11 3000-0000"]',
        'assistantTokensMax=null',
      ]),
    ).toEqual({
      assistantTimeoutMs: 5_000,
      assistantSpendPerDayMax: 2.5,
      assistantInstructions: 'We sell bicycles. Say "hi".',
      assistantLinks: ['example.com', 'bücher.example'],
      assistantPhones: ['+55 11 3000-0000'],
      assistantTokensMax: null,
    })
  })

  test.each([
    'assistantTimeoutMs=99',
    'assistantTimeoutMs=240001',
    'assistantTokensMax=0',
    'assistantMemoryMessages=-1',
    'assistantSpendPerDayMax=-0.01',
    'assistantSpendPerDayMax=cheap',
    'assistantInputPrice=10001',
    'assistantLinks=example.com',
    'assistantLinks=["https://example.com/"]',
    'assistantLinks=["localhost"]',
    'assistantPhones=["call me"]',
    `assistantInstructions=${'x'.repeat(4_001)}`,
  ])('%s is wrong', (change) => {
    expect(() => readSettingChanges([change])).toThrow(/must be/u)
  })
})
