/** A compose file as Compose reads it: anchors merged, `${NAME}` and `${NAME:?why}` filled in, configs read. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parse } from 'yaml'

export type ComposeService = {
  readonly image?: string
  readonly build?: string
  readonly user?: string
  readonly command?: readonly string[]
  readonly environment?: { readonly [name: string]: string }
  readonly configs?: readonly { readonly source: string; readonly target: string }[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly read_only?: boolean
  readonly privileged?: boolean
  readonly restart?: string
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: unknown
}

export type ComposeFile = {
  readonly services: { readonly [name: string]: ComposeService }
  /** The text of each config, by its name. */
  readonly configs: ReadonlyMap<string, string>
}

const root = join(import.meta.dirname, '../..')

/** What `node scripts/compose-env.mjs` prints, with what it leaves open filled in. */
export function makeComposeEnv(open: { readonly [name: string]: string }): { readonly [name: string]: string } {
  const printed = execFileSync(process.execPath, [join(root, 'scripts/compose-env.mjs')], { encoding: 'utf8' })
  const made = [...printed.matchAll(/^([A-Z_]+)=(.*)$/gmu)].map(([, name = '', value = '']) => [name, value] as const)
  return { ...Object.fromEntries(made), ...open }
}

export function readComposeFile(name: string, env: { readonly [name: string]: string }): ComposeFile {
  const text = readFileSync(join(root, name), 'utf8').replaceAll(
    /\$\{([A-Z_]+)(?::\?([^}]*))?\}/gu,
    (_all, variable: string, why: string | undefined) => {
      const value = env[variable]
      if (value === undefined || value === '') throw new Error(`${name}: ${variable} is not set: ${why ?? ''}`)
      return value
    },
  )
  const file = parse(text, { merge: true }) as {
    services: ComposeFile['services']
    configs?: { [name: string]: { file?: string; content?: string } }
  }
  const configs = new Map(
    Object.entries(file.configs ?? {}).map(([key, { file: path, content }]) => [
      key,
      content ?? readFileSync(join(root, path ?? ''), 'utf8'),
    ]),
  )
  return { services: file.services, configs }
}
