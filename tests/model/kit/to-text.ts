/** Plain values as one text that is the same whenever they are: keys in order, `undefined` gone. */
import { toCanonicalJson } from '../../../src/actors/canonical-json.ts'
import type { Json } from '../../../src/machines/json.ts'

export function toText(value: unknown): string {
  return value === undefined ? 'nothing' : toCanonicalJson(JSON.parse(JSON.stringify(value)) as Json)
}
