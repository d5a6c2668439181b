/**
 * Secrets by their name: `env:NAME` is a variable of the environment, `file:/path` a file. The database holds names only.
 * Several values stand beside each other, separated by commas, spaces or lines, while they are being rotated: all of
 * them are accepted, the first is used. A file is read again when it may have changed, so that a rotation needs no restart.
 */
import { readFileSync } from 'node:fs'

/** How long what a file said is believed. */
const rereadAfterMs = 2_000
const fileBytesMax = 64 * 1_024

export const secretNamePattern = /^(?:env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:\/[\x21-\x7e]{1,1000})$/

export type NamedSecrets = {
  /** Its values, the one to use first; none when there is no such secret. */
  read(name: string): readonly string[]
}

export function createNamedSecrets(
  readVariable: (name: string) => string | null,
  monotonic: () => number,
): NamedSecrets {
  const files = new Map<string, { readonly values: readonly string[]; readonly readAt: number }>()
  const readFile = (path: string): readonly string[] => {
    const known = files.get(path)
    if (known !== undefined && monotonic() - known.readAt < rereadAfterMs) return known.values
    const values = toValues(readText(path))
    files.set(path, { values, readAt: monotonic() })
    return values
  }
  return {
    read(name) {
      if (!secretNamePattern.test(name)) return []
      if (name.startsWith('env:')) return toValues(readVariable(name.slice('env:'.length)) ?? '')
      return readFile(name.slice('file:'.length))
    },
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, fileBytesMax)
  } catch {
    return ''
  }
}

function toValues(text: string): readonly string[] {
  return text.split(/[\s,]+/u).filter((value) => value !== '')
}
