/** The few statistics that the benchmark reports. */

/** The middle value; the mean of both for an even number. NaN when there is none. */
export function toMedian(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** By nearest rank: the smallest value that at least `share` of all values do not exceed. Leaves NaN out. */
export function toPercentile(values: Float64Array, share: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted()
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
