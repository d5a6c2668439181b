/**
 * One text per JSON value: keys sorted, no spaces, as in RFC 8785. jsonb reorders keys, so hashes over
 * anything else would differ between what was written and what is read back.
 *
 * Strict: what JSON cannot carry (undefined, NaN, Date, functions, class instances) throws, because a
 * snapshot that loses something on its way to the database takes other branches when it returns.
 */
import { assert } from './assert.ts'

const depthMax = 64

export function toCanonicalJson(value: unknown, depth = 0): string {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  if (typeof value === 'number') {
    assert(Number.isFinite(value), `${value} is not a JSON number`)
    return JSON.stringify(value)
  }
  assert(typeof value === 'object', `a ${typeof value} is not JSON`)
  assert(depth <= depthMax, `a value is nested deeper than ${depthMax} levels`)
  return Array.isArray(value) ? toCanonicalArray(value, depth) : toCanonicalObject(value, depth)
}

function toCanonicalArray(items: readonly unknown[], depth: number): string {
  let text = '['
  for (const [index, item] of items.entries()) {
    if (index > 0) text += ','
    text += toCanonicalJson(item, depth + 1)
  }
  return `${text}]`
}

function toCanonicalObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  assert(prototype === Object.prototype || prototype === null, 'an instance of a class is not JSON')
  const fields = value as Record<string, unknown>
  let text = '{'
  for (const key of toSortedKeys(fields)) {
    if (text.length > 1) text += ','
    text += `${JSON.stringify(key)}:${toCanonicalJson(fields[key], depth + 1)}`
  }
  return `${text}}`
}

/** Most objects come with their keys in order already: they were parsed from canonical text. */
function toSortedKeys(fields: object): readonly string[] {
  const keys = Object.keys(fields)
  for (let index = 1; index < keys.length; index += 1) {
    if ((keys[index - 1] ?? '') > (keys[index] ?? '')) return keys.toSorted()
  }
  return keys
}
