/**
 * The host lint's rule about functions: what a guard, a delay or an assignment answers may depend on what it is given
 * and on nothing else, or a replay and another node would take other ways. Their text tells the usual mistakes; the
 * walk finds those that show in what they answer.
 */
import type { ChartParts, Placed, PlainFunction } from './chart-parts.ts'
import type { Remark } from './host-lint.ts'

type Impurity = { readonly pattern: RegExp; readonly sentence: string }

const impurities: readonly Impurity[] = [
  {
    pattern: /\bDate\s*\.\s*now\b|\bDate\s*\(\s*\)|\bnew\s+Date\b(?!\s*\(\s*[^)\s])|\bperformance\s*\.\s*now\b/u,
    sentence: 'it reads a clock: events carry their moment (`at`), and delays are for waiting',
  },
  {
    pattern: /\bMath\s*\.\s*random\b|\bcrypto\s*\.|\brandomUUID\b/u,
    sentence: 'it draws a random number: let an effect draw it and give it back',
  },
  { pattern: /^\s*async\b|\bawait\b|\bPromise\b/u, sentence: 'it waits: let an effect do what takes time' },
  {
    pattern: /\bfetch\s*\(|\bprocess\s*\.|\bset(?:Timeout|Interval|Immediate)\s*\(|\bconsole\s*\./u,
    sentence: 'it reaches the world: ask for an effect instead',
  },
]

export function lintPurity({ functions }: ChartParts): Remark[] {
  const seen = new Set<PlainFunction>()
  return functions.flatMap((placed) => {
    if (seen.has(placed.part)) return []
    seen.add(placed.part)
    return lintFunction(placed)
  })
}

function lintFunction({ where, part }: Placed<PlainFunction>): Remark[] {
  const text = toCode(part.toString())
  return impurities
    .filter(({ pattern }) => pattern.test(text))
    .map(({ sentence }) => ({ rule: 'impure', where, sentence }))
}

/** Without comments and quoted texts, which may speak of anything. */
function toCode(source: string): string {
  return source
    .replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/gu, "''")
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gmu, '')
}
