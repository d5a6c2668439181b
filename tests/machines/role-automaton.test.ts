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

describe('a pattern', () => {
  const name = (text: string) => ({ kind: 'sequence', parts: [{ kind: 'name', name: text }] })

  test('is a sequence of names, or a choice of such', () => {
    expect(parsePattern(' a ')).toEqual(name('a'))
    expect(parsePattern('a|bc')).toEqual({ kind: 'choice', parts: [name('a'), name('bc')] })
    const [a, b] = ['a', 'b'].map((text) => ({ kind: 'name', name: text }))
    expect(parsePattern('a b')).toEqual({ kind: 'sequence', parts: [a, b] })
  })

  test.each([
    ['?', true, false],
    ['*', true, true],
    ['+', false, true],
  ])('%s behind a name or a bracket repeats it', (sign, isOptional, isEndless) => {
    const repeated = (part: object) => ({
      kind: 'sequence',
      parts: [{ kind: 'repeated', part, isOptional, isEndless }],
    })
    expect(parsePattern(`a${sign}`)).toEqual(repeated({ kind: 'name', name: 'a' }))
    expect(parsePattern(`(a)${sign}`)).toEqual(repeated(name('a')))
    const twice = accepts(new RoleAutomaton({}, [`a${sign}`]), 'a a').length > 0
    const never = accepts(new RoleAutomaton({}, [`a${sign}`]), '').length > 0
    expect([never, twice]).toEqual([isOptional, isEndless])
  })

  test.each([
    ['', 'a pattern says nothing before ""'],
    ['a | | b', 'a pattern says nothing before "| b"'],
    ['()', 'a pattern says nothing before ")"'],
    ['(a', 'a pattern has a bracket that is not closed'],
    ['a) b', 'cannot read the pattern a) b from ") b" on'],
    ['a & b', 'cannot read the pattern a & b from "& b" on'],
  ])('"%s" is refused with the place', (pattern, sentence) => {
    expect(() => parsePattern(pattern)).toThrow(sentence)
  })
})

describe('an automaton’s states', () => {
  test('are as few as can be told apart, and known ones are used again', () => {
    const automaton = new RoleAutomaton({}, ['a (b | c) d*'])
    for (const roles of ['a b d d d', 'a c d', 'a b', 'a c d d']) expect(accepts(automaton, roles)).toEqual([0])
    // Before a, behind it, and behind all that may stand there then.
    const known = 3
    expect(automaton.statesKnown).toBe(known)
    accepts(automaton, 'a b d d d d')
    expect(automaton.statesKnown).toBe(known)
    expect(automaton.step(0, automaton.roleNumbers.get('d') ?? -1)).toBe(dead)
  })

  test('that are none are refused', () => {
    expect(() => new RoleAutomaton({}, ['a']).step(7, 0)).toThrow('the automaton has no state 7')
    expect(new RoleAutomaton({}, ['a']).completeIn(7)).toEqual([])
  })

  test('a repetition leads not back to what stands before it', () => {
    const automaton = new RoleAutomaton({}, ['a? (b c?)* d', 'a (b | a)+'])
    expect(accepts(automaton, 'a b c b d')).toEqual([0])
    expect(accepts(automaton, 'b a d')).toEqual([])
    expect(accepts(automaton, 'a b a b')).toEqual([1])
    expect(accepts(automaton, 'a')).toEqual([])
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
