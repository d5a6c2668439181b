/**
 * The fields of a webhook as they were decoded from the form: a repeated field is an array.
 * Nothing is trimmed, dropped or renamed, since the signature covers every byte of every field
 * and Twilio adds fields without notice.
 */

export type TwilioForm = { readonly [field: string]: string | readonly string[] }

/** A field that must occur at most once; null when it is missing or repeated. */
export function readField(form: TwilioForm, field: string): string | null {
  const value = form[field]
  return typeof value === 'string' ? value : null
}

/** The text with what neither the log nor the database can hold (NUL, lone surrogates) replaced by U+FFFD. */
export function toStorableText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed()
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed
}

/** Every field as it came, storable. */
export function toRaw(form: TwilioForm): { readonly [field: string]: string | readonly string[] } {
  const raw: { [field: string]: string | readonly string[] } = {}
  for (const field of Object.keys(form)) {
    const value = toStorableValue(form[field] ?? '')
    // An assignment to this one name would set the prototype instead of a field.
    if (field === '__proto__') Object.defineProperty(raw, field, { value, enumerable: true })
    else raw[toStorableText(field)] = value
  }
  return raw
}

function toStorableValue(value: string | readonly string[]): string | readonly string[] {
  return typeof value === 'string' ? toStorableText(value) : value.map(toStorableText)
}
