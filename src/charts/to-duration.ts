/** `15 min`, `1.5 s`, `48 h`, `10 min 1.5 s`: what a reader calls a number of milliseconds. */
const units = [
  { ms: 86_400_000, name: 'days' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: 1_000, name: 's' },
] as const

/** From here on hours are days: "24 h" and "48 h" are what people say. */
const daysFromMs = 3 * 86_400_000

export function toDuration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  const parts: string[] = []
  let left = ms
  for (const { ms: size, name } of units) {
    if ((name === 'days' && ms < daysFromMs) || left < size) continue
    // Seconds take what is left; of the others only whole ones count.
    const count = name === 's' ? Number((left / size).toFixed(3)) : Math.floor(left / size)
    parts.push(`${count} ${name}`)
    left -= count * size
  }
  return parts.slice(0, 3).join(' ')
}
