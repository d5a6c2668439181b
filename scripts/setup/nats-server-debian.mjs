/**
 * nats-server from the Debian archive, for machines that reach only the mirror that their apt is set up
 * with. The chain of trust is apt's: the suite's signed InRelease names the sha256 of the package index,
 * the index names the file and sha256 of the package. Old versions leave the archive when a newer one
 * arrives, so the file is always taken from the index. Unpacking needs `dpkg`, or `ar` and `xz`; no root.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { createReadStream, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { downloadFile, downloadText } from './download.mjs'

const suites = ['sid', 'forky']
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const answerMs = 10_000
const downloadMs = 120_000
const sitesMax = 4

/** Unpacks the archive's current nats-server under `folder`; returns the binary's path. Throws when that cannot be done. */
export async function unpackDebianNatsServer(folder, say) {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  if (process.platform !== 'linux' || !architecture) throw new Error('the Debian archive is for Linux on x64 and arm64')
  const failures = []
  for (const site of mirrorSites()) {
    for (const suite of suites) {
      try {
        return await unpackFrom({ site, suite, architecture, folder, say })
      } catch (error) {
        failures.push(`${suite}: ${error.message}`)
      }
    }
  }
  throw new Error(failures.join('; ') || "this machine's apt names no mirror")
}

/** The archive mirrors of this machine's own apt configuration. */
function mirrorSites() {
  const said = spawnSync('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE)', 'Created-By: Packages'], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  const sites = (said.stdout ?? '').split('\n').map((line) => line.split(' ')[0] ?? '')
  return [...new Set(sites)].filter((site) => /^https?:\/\//u.test(site)).slice(0, sitesMax)
}

async function unpackFrom({ site, suite, architecture, folder, say }) {
  const indexPath = `main/binary-${architecture}/Packages.gz`
  const release = await downloadText(`${site}/dists/${suite}/InRelease`, answerMs)
  const indexSha256 = new RegExp(`^ ([0-9a-f]{64}) +\\d+ ${indexPath}$`, 'mu').exec(verified(release, folder, say))?.[1]
  if (!indexSha256) throw new Error(`its release file does not name ${indexPath}`)

  // By hash, so that an index that is replaced this minute is still the one that the release file signed.
  const index = join(folder, 'Packages.gz')
  const byHash = `${site}/dists/${suite}/main/binary-${architecture}/by-hash/SHA256/${indexSha256}`
  await downloadFile(byHash, index, { sha256: indexSha256, connectMs: answerMs, limitMs: downloadMs })
  const { file, sha256 } = await findPackage(index)
  const archive = join(folder, 'nats-server.deb')
  await downloadFile(`${site}/${file}`, archive, { sha256, connectMs: answerMs, limitMs: downloadMs })
  return unpackPackage(archive, folder)
}

/** The signed text of an InRelease file. Without gpgv or Debian's keys the checksums stand alone, and that is said. */
function verified(release, folder, say) {
  const signedText = /^-----BEGIN PGP SIGNED MESSAGE-----\n[^]*?\n\n([^]*?)\n-----BEGIN PGP SIGNATURE-----/u.exec(
    release,
  )?.[1]
  if (signedText === undefined) throw new Error('its release file is not signed')
  const signed = join(folder, 'InRelease')
  writeFileSync(signed, release)
  const checked = spawnSync('gpgv', ['--keyring', keyring, signed], { encoding: 'utf8', timeout: 10_000 })
  if (checked.error || !existsSync(keyring)) {
    say('the signature of the Debian archive is not checked: gpgv or debian-archive-keyring is missing')
    return signedText
  }
  if (!/^gpgv: Good signature/mu.test(checked.stderr) || /BAD signature/u.test(checked.stderr)) {
    throw new Error('its release file has no good signature')
  }
  return signedText
}

async function findPackage(index) {
  const lines = createInterface({ input: createReadStream(index).pipe(createGunzip()), crlfDelay: Infinity })
  let isNatsServer = false
  const fields = {}
  for await (const line of lines) {
    if (line.startsWith('Package: ')) isNatsServer = line === 'Package: nats-server'
    else if (isNatsServer && line === '') break
    else if (isNatsServer) fields[line.slice(0, line.indexOf(':'))] = line.slice(line.indexOf(':') + 2)
  }
  if (!fields.Filename || !fields.SHA256) throw new Error('its index has no nats-server')
  return { file: fields.Filename, sha256: fields.SHA256 }
}

function unpackPackage(archive, folder) {
  const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] }
  const unpacked = spawnSync('dpkg', ['-x', archive, folder], quiet)
  if (unpacked.status !== 0) {
    execFileSync('ar', ['x', archive], quiet)
    execFileSync('tar', ['-xf', 'data.tar.xz'], quiet)
  }
  const binary = ['usr/sbin/nats-server', 'usr/bin/nats-server']
    .map((path) => join(folder, path))
    .find((path) => existsSync(path))
  if (!binary) throw new Error('its package holds no nats-server')
  return binary
}
