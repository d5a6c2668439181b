/** The time of day of a moment, by the reader's clock. */
export function toClock(moment: number | string): string {
  return new Date(moment).toLocaleTimeString('en-GB')
}
