import { describe, expect, test } from 'vitest'

import { grammar } from '../../src/machines/conversation/closing-grammar.ts'
import { phrases } from '../../src/machines/conversation/closing-word-lists.ts'
import { RoleAutomaton, dead } from '../../src/machines/conversation/role-automaton.ts'
import { parsePattern } from '../../src/machines/conversation/role-pattern.ts'

function accepts(automaton: RoleAutomaton, roles: string): readonly number[] {
  let state = 0
  for (const role of roles.split(' ').filter((name) => name !== '')) {
    state = automaton.step(state, automaton.roleNumbers.get(role) ?? -1)
    if (state === dead) return []
  }
  return automaton.completeIn(state)
}

describe('an automaton', () => {
  const automaton = new RoleAutomaton({ wished: '(want | need)?' }, [
    'polite* wished close',
    'polite+ (thanks (and? thanks)*)?',
  ])

  test.each([
    ['close', [0]],
    ['polite polite want close', [0]],
    ['polite', [1]],
    ['polite thanks and thanks thanks', [1]],
    ['thanks', []],
    ['want need close', []],
    ['polite thanks and', []],
    ['close polite', []],
    ['', []],
    ['nonsense', []],
  ] as const)('%s completes the patterns %j', (roles, patterns) => {
    expect(accepts(automaton, roles)).toEqual(patterns)
  })

  test('two patterns may be complete at once', () => {
    expect(accepts(new RoleAutomaton({}, ['a b?', 'a c*']), 'a')).toEqual([0, 1])
  })

  test.each(['(a', 'a)', 'a | | b', '()', '*', 'a & b', ''])('the pattern "%s" is refused', (pattern) => {
    expect(() => parsePattern(pattern)).toThrow(/pattern/u)
  })
})

describe('the grammar of closing words', () => {
  test('every list of phrases has a role in it, and every role a list', () => {
    expect([...grammar.roleNumbers.keys()].toSorted()).toEqual(Object.keys(phrases).toSorted())
  })

  test('it has a thousand states or so, however long one talks to it', () => {
    for (let state = 0; state < grammar.statesKnown; state += 1) {
      for (const role of grammar.roleNumbers.values()) grammar.step(state, role)
      expect(grammar.statesKnown).toBeLessThan(2_000)
    }
    expect(grammar.statesKnown).toBeGreaterThan(100)
  })
})
