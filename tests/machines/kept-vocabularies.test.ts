import { expect, test } from 'vitest'

import { readIntent } from '../../src/machines/conversation/closing-words.ts'
import { toTenantVocabulary } from '../../src/machines/conversation/tenant-phrases.ts'

/** Builds two hundred of them, so it is none of the tests that hunt mutants. */
test('the vocabularies of no more than two hundred tenants are kept', () => {
  const phrases = { close: ['fim de jogo'] }
  const kept = toTenantVocabulary('whatsapp', phrases)
  for (let tenant = 0; tenant < 200; tenant += 1) toTenantVocabulary('whatsapp', { close: [`senha ${tenant}`] })
  expect(toTenantVocabulary('whatsapp', phrases)).not.toBe(kept)
  expect(readIntent('fim de jogo', toTenantVocabulary('whatsapp', phrases))).toBe('close')
})
