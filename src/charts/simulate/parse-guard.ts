/** A guard as the chart writes it (`not optsOut`, `goesOn and (isLate or in PROGRESS)`) back into XState's form. */
import { and, not, or, stateIn } from 'xstate'

/** A name, or what `and`, `or`, `not` and `stateIn` make. */
type Guard = string | object

/** A text that is no such expression is the name of one guard. */
export function parseGuard(text: string): Guard {
  const words = text.split(/(?<=\()|(?=\))|(?<=\)) | and | or |(?<=not )/u)
  if (words.length === 1 && !text.startsWith('in ')) return text
  return parseAlternatives(text)
}

/** Splits where no bracket is open; mixed `and` and `or` always stand in brackets. */
function parseAlternatives(text: string): Guard {
  const whole = withoutBrackets(text)
  for (const [separator, join] of [
    [' or ', or],
    [' and ', and],
  ] as const) {
    const parts = splitOutside(whole, separator)
    if (parts.length > 1) return join(parts.map(parseAlternatives) as never)
  }
  if (whole.startsWith('not ')) return not(parseAlternatives(whole.slice(4)) as never)
  if (whole.startsWith('in ')) return stateIn(`#${whole.slice(3)}` as never)
  return whole
}

function withoutBrackets(text: string): string {
  if (!text.startsWith('(') || !text.endsWith(')')) return text
  return splitOutside(text, ')').length === 1 ? text.slice(1, -1) : text
}

function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    const isEnd = separator === ')' ? depth === 0 && text[at] === ')' && at < text.length - 1 : false
    if (isEnd) return [text.slice(0, at), text.slice(at)]
    if (depth > 0 || separator === ')' || !text.startsWith(separator, at)) continue
    parts.push(text.slice(from, at))
    from = at + separator.length
    at = from - 1
  }
  return [...parts, text.slice(from)]
}
