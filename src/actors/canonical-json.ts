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
  assert(depth <= depthMax, `a value is nested deeper than ${depthMax} levels`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    assert(Number.isFinite(value), `${value} is not a JSON number`)
    return JSON.stringify(value)
  }
  assert(typeof value === 'object', `a ${typeof value} is not JSON`)
  if (Array.isArray(value)) return `[${value.map((item) => toCanonicalJson(item, depth + 1)).join(',')}]`
  return toCanonicalObject(value, depth)
}

function toCanonicalObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  assert(prototype === Object.prototype || prototype === null, 'an instance of a class is not JSON')
  const fields = value as Record<string, unknown>
  let text = ''
  for (const key of Object.keys(fields).toSorted()) {
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${toCanonicalJson(fields[key], depth + 1)}`
  }
  return `{${text}}`
}
