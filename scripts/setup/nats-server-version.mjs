/** Which nats-server Duologue accepts. 2.14.6 fixed the loss of acknowledged writes under `sync_interval: always`. */
import { execFileSync } from 'node:child_process'

export const oldestNatsServer = '2.14.6'

/** The release that is downloaded where the project's release page answers. */
export const downloadedNatsServer = '2.15.1'

/** The version that the binary reports of itself, or null when it does not run. */
export function readNatsServerVersion(binary) {
  try {
    const said = execFileSync(binary, ['--version'], {
      encoding: 'utf8',
      timeout: 5_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return /v(\d+\.\d+\.\d+)/u.exec(said)?.[1] ?? null
  } catch {
    return null
  }
}

/** Whether a version such as `2.15.1` is new enough; null never is. */
export function isNewEnough(version) {
  return version !== null && compareVersions(version, oldestNatsServer) >= 0
}

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a, b) {
  return a.localeCompare(b, 'en', { numeric: true })
}
