/**
 * The identity of a session as a pair of NATS subject tokens, and the same rule as the database's
 * generated column `sessions.session_key`: `<business token>.<user token>`.
 *
 * A token uses `[A-Za-z0-9-]` as it is and writes every other character as `_` and the two upper-case
 * hex digits of each of its UTF-8 bytes (`whatsapp:+1500` → `whatsapp_3A_2B1500`). `_` itself is
 * escaped, so two different addresses never share a token, and `*`, `>`, `.` and spaces cannot occur.
 */

const addressBytesMax = 256

/** The subject token of an address. Throws when it is empty, too long, or not well-formed Unicode. */
export function toToken(address: string): string {
  const bytes = Buffer.from(address, 'utf8')
  if (bytes.length === 0 || bytes.length > addressBytesMax || !address.isWellFormed()) {
    throw new Error(`could not make a subject token of an address of ${bytes.length} bytes`)
  }
  return address.replace(/[^A-Za-z0-9-]/gu, escapeCharacter)
}

export function toSessionKey(businessAddress: string, userKey: string): string {
  return `${toToken(businessAddress)}.${toToken(userKey)}`
}

function escapeCharacter(character: string): string {
  let escaped = ''
  for (const byte of Buffer.from(character, 'utf8')) escaped += `_${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return escaped
}
