/** Secrets that Duologue makes itself and keeps in the data folder, each in a file that only its owner can read. */
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The secret of this name; at the first time `make` makes it. Only for the holder of the folder's lock. */
export function readOrCreateSecret(folder: string, name: string, make: () => string): string {
  const path = join(folder, name)
  const known = readSecret(path)
  if (known !== null) return known

  const secret = make()
  const draft = `${path}.draft`
  writeFileSync(draft, `${secret}\n`, { mode: 0o600, flush: true })
  renameSync(draft, path)
  return secret
}

function readSecret(path: string): string | null {
  try {
    const secret = readFileSync(path, 'utf8').trim()
    chmodSync(path, 0o600)
    return secret === '' ? null : secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`could not read the secret ${path}`, { cause: error })
  }
}
