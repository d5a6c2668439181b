/** How long something is, as far as anybody wants to know: whole seconds, then whole minutes. */
import { toDuration } from '../../../src/charts/to-duration.ts'

export function toAge(ms: number): string {
  const unit = ms < 60_000 ? 1_000 : 60_000
  return toDuration(Math.max(1_000, Math.floor(ms / unit) * unit))
}
