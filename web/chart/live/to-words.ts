/** Data as a reader wants it: names without quotes, and text that is masked as what it is. */
import type { Json } from '../../../src/machines/json.ts'

export function toWords(json: Json): string {
  if (typeof json === 'string') return /^text of \d+ characters$/u.test(json) ? json : JSON.stringify(json)
  if (Array.isArray(json)) return `[${json.map(toWords).join(', ')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json)
  const fields = Object.entries(json).map(([name, value]) => `${name}: ${toWords(value)}`)
  return `{${fields.join(', ')}}`
}
