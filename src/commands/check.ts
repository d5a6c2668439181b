/**
 * `duologue check`, before a deploy: can the machines of this build be hosted, and what would become of the
 * conversations that are stored? It changes nothing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { checkStates } from '../actors/check-states.ts'
import type { CheckedState } from '../actors/check-states.ts'
import { lintMachines, toSentence } from '../actors/host-lint.ts'
import type { Finding } from '../actors/host-lint.ts'
import { toHostedVersions } from '../actors/machine-versions.ts'
import { readConfig } from '../config.ts'
import { registeredMachines } from '../machines/registered.ts'
import { performedKinds } from '../parts/node.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { toPrintable } from './sentence.ts'

type InFlight = { readonly states: readonly CheckedState[]; readonly isWhole: boolean }

export async function runCheck({ words, options, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('check takes no arguments')
  const findings = lintMachines(registeredMachines, { performers: performedKinds })
  const inFlight = options['machines'] === true ? null : await readInFlight(env)
  const isGood = findings.length === 0 && (inFlight?.states ?? []).every(({ outcome }) => outcome !== 'blocked')
  const machines = Object.values(registeredMachines).map((registration) => ({
    machine: registration.machine.id,
    versions: toHostedVersions(registration).map(({ version }) => version),
  }))
  return {
    exitCode: isGood ? 0 : 1,
    value: { outcome: isGood ? 'ok' : 'bad', machines, findings, inFlight },
    text: [
      ...machines.map(
        ({ machine, versions }) =>
          `machine ${machine}, ${versions.length === 1 ? 'version' : 'versions'} ${versions.join(', ')}`,
      ),
      ...describeFindings(findings),
      ...(inFlight === null ? [] : describeInFlight(inFlight)),
    ].join('\n'),
  }
}

/** A deployment that was never started has nothing in flight. */
async function readInFlight(env: CommandCall['env']): Promise<InFlight> {
  const config = readConfig(env)
  if (config.supabase === null && !existsSync(join(config.dataDir, 'database'))) return { states: [], isWhole: true }
  const { items, isWhole } = await withStore(config, { mayMake: false }, async (store) => store.distinctStates())
  return { states: checkStates(registeredMachines, items), isWhole }
}

function describeFindings(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['  the host can honour all of it']
  return findings.map((finding) => `  bad: ${toSentence(finding)}`)
}

function describeInFlight({ states, isWhole }: InFlight): string[] {
  const lines = states.map(({ machine, machineVersion, value, count, open, outcome, reason, to }) => {
    const where = `${machine} ${machineVersion} ${typeof value === 'string' ? value : JSON.stringify(value)}`
    const what =
      outcome === 'migrated' ? `migrated to ${to}` : reason === null ? outcome : `blocked: ${toPrintable(reason)}`
    return `  ${where}: ${count} (${open} open), ${what}`
  })
  const counts = (['ok', 'migrated', 'blocked'] as const).map((outcome) => {
    return `${states.filter((state) => state.outcome === outcome).reduce((sum, { count }) => sum + count, 0)} ${outcome}`
  })
  return [
    'conversations that are stored, by the state in which they stand',
    ...lines,
    `  ${counts.join(', ')}${isWhole ? '' : '; there are more states than these, the most frequent ones'}`,
  ]
}
