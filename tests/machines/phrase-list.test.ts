import { expect, test } from 'vitest'

import { foldText } from '../../src/machines/conversation/fold-text.ts'
import { phraseList } from '../../src/machines/conversation/phrase-list.ts'

test('phrases are separated by commas, on as many lines as they need, with single spaces', () => {
  expect(phraseList(' thank  you,\n    bye \n bye,, ,see\tyou  ')).toEqual(['thank you', 'bye bye', 'see you'])
  expect(phraseList(' \n ')).toEqual([])
})

test.each([
  ['Obrigadooo!! 🙏', 'obrigado'],
  ['  That’s   ALL. ', 'thats all'],
  ["that`s that´s that's that‘s", 'thats thats thats thats'],
  ['Não, não…', 'nao nao'],
  ['a\u0301\u0327b\u200dc', 'abc'],
  ['ﬁm', 'fim'],
  ['ＦＩＭ', 'fim'],
  ['12:30 aaab 1111', '12 30 ab 1111'],
  ['boo', 'boo'],
  ['👋', ''],
])('"%s" is folded to "%s"', (text, folded) => {
  expect(foldText(text)).toBe(folded)
})
