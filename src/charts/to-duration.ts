/** `15 min`, `1.5 s`, `48 h`, `3 days`: what a reader calls a number of milliseconds. */
const units = [
  { ms: 86_400_000, name: 'day', isPlural: true },
  { ms: 3_600_000, name: 'h', isPlural: false },
  { ms: 60_000, name: 'min', isPlural: false },
  { ms: 1_000, name: 's', isPlural: false },
] as const

/** From here on hours are days: "24 h" and "48 h" are what people say. */
const daysFrom = 3

export function toDuration(ms: number): string {
  for (const { ms: size, name, isPlural } of units) {
    const count = ms / size
    if (isPlural && count < daysFrom) continue
    if (count >= 1 && Number.isInteger(count * 2)) return `${count} ${name}${isPlural ? 's' : ''}`
  }
  return ms >= 1_000 ? `${Number((ms / 1_000).toFixed(3))} s` : `${ms} ms`
}
