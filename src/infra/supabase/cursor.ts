/**
 * Opaque cursors: base64url of the JSON key of a page's last row, as the database answered it. What comes back from
 * outside is checked: only known names, only numbers and short texts of a key's alphabet.
 */
import { MalformedCursor } from '../../actors/read-model.ts'

type Key = { readonly [name: string]: unknown }

const keyText = /^[0-9A-Za-z:._+-]{1,2000}$/u

export function toCursor(key: Key | null): string | null {
  return key === null ? null : Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** The key of a cursor with exactly some of these names; throws `MalformedCursor`. */
export function fromCursor(cursor: string, names: readonly string[]): Key {
  const key = parse(cursor)
  const isKey =
    key !== null &&
    Object.keys(key).length > 0 &&
    Object.entries(key).every(([name, value]) => names.includes(name) && isKeyPart(value))
  if (!isKey) throw new MalformedCursor('could not read a cursor that this list did not make')
  return key
}

function parse(cursor: string): Key | null {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return typeof key === 'object' && key !== null && !Array.isArray(key) ? (key as Key) : null
  } catch {
    return null
  }
}

function isKeyPart(value: unknown): boolean {
  return typeof value === 'string' ? keyText.test(value) : Number.isSafeInteger(value)
}
