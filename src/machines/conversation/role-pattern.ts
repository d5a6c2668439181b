/** The notation of `role-automaton.ts`: `polite* (want | need)? thanks+`, read into a tree. */
export type Pattern =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeated'; readonly part: Pattern; readonly isOptional: boolean; readonly isEndless: boolean }

export function parsePattern(text: string): Pattern {
  const tokens = text.match(/\w+|[^\s\w]/gu) ?? []
  const pattern = takeChoice(tokens)
  if (tokens.length > 0) throw new Error(`cannot read the pattern ${text} from "${tokens.join(' ')}" on`)
  return pattern
}

/** This and the two below take what they read off the front. */
function takeChoice(tokens: string[]): Pattern {
  const parts: Pattern[] = []
  do {
    if (tokens[0] === '|') tokens.shift()
    const sequence: Pattern[] = []
    while (/[\w(]/u.test(tokens[0] ?? '')) sequence.push(takeRepeated(tokens))
    if (sequence.length === 0) throw new Error(`a pattern says nothing before "${tokens.join(' ')}"`)
    parts.push({ kind: 'sequence', parts: sequence })
  } while (tokens[0] === '|')
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts }
}

function takeRepeated(tokens: string[]): Pattern {
  const part = takeOne(tokens)
  const sign = tokens[0] ?? ''
  if (!/[?*+]/u.test(sign)) return part
  tokens.shift()
  return { kind: 'repeated', part, isOptional: sign !== '+', isEndless: sign !== '?' }
}

function takeOne(tokens: string[]): Pattern {
  const token = tokens.shift() ?? ''
  if (token !== '(') return { kind: 'name', name: token }
  const choice = takeChoice(tokens)
  if (tokens.shift() !== ')') throw new Error('a pattern has a bracket that is not closed')
  return choice
}
