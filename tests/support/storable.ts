/** What PostgreSQL's jsonb refuses: NUL and lone surrogates, which a JavaScript string may hold. */
export function findUnstorable(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\u0000') ? null : path
  if (typeof value !== 'object' || value === null) return null
  for (const [name, inner] of Object.entries(value)) {
    const found = findUnstorable(name, `${path} (a name)`) ?? findUnstorable(inner, `${path}.${name}`)
    if (found !== null) return found
  }
  return null
}
