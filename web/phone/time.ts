/** Moments and durations as a person reads them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })

export function toTime(at: number): string {
  return clock.format(at)
}

/** The time alone for today, with the day otherwise. */
export function toClockTime(at: number): string {
  return isSameDay(at, Date.now()) ? toTime(at) : `${shortDay.format(at)}, ${toTime(at)}`
}

export function toDay(at: number): string {
  return isSameDay(at, Date.now()) ? 'Today' : day.format(at)
}

export function isSameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString()
}

export function toDuration(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const
  const found = units.find(([unitMs]) => ms >= unitMs)
  return found === undefined ? `${Math.ceil(ms / 1_000)} s` : `${Math.round(ms / found[0])} ${found[1]}`
}
