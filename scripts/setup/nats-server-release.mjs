/** nats-server from the release page of its own project: an archive, checked against the release's SHA256SUMS. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { downloadFile, downloadText } from './download.mjs'
import { downloadedNatsServer } from './nats-server-version.mjs'

const releases = 'https://github.com/nats-io/nats-server/releases/download'
const answerMs = 8_000
const downloadMs = 120_000

/** Unpacks the release for this platform under `folder`; returns the binary's path. Throws when that cannot be done. */
export async function unpackReleasedNatsServer(folder) {
  const system = { linux: 'linux', darwin: 'darwin', win32: 'windows', freebsd: 'freebsd' }[process.platform]
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  if (!system || !architecture) throw new Error(`there is no release for ${process.platform} on ${process.arch}`)

  const release = `nats-server-v${downloadedNatsServer}-${system}-${architecture}`
  const archive = `${release}.${system === 'windows' ? 'zip' : 'tar.gz'}`
  const base = `${releases}/v${downloadedNatsServer}`
  const sums = await downloadText(`${base}/SHA256SUMS`, answerMs)
  const sha256 = sums
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/u))
    .find(([, name]) => name === archive)?.[0]
  if (!sha256) throw new Error(`SHA256SUMS of nats-server ${downloadedNatsServer} does not name ${archive}`)

  const path = join(folder, archive)
  await downloadFile(`${base}/${archive}`, path, { sha256, connectMs: answerMs, limitMs: downloadMs })
  execFileSync('tar', ['-xf', archive], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  return join(folder, release, system === 'windows' ? 'nats-server.exe' : 'nats-server')
}
