/**
 * `duologue check`, before a deploy: can the machines of this build be hosted, and what would become of the
 * conversations that are stored? It changes nothing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { lintMachines, toSentence } from '../actors/host-lint.ts'
import type { Finding } from '../actors/host-lint.ts'
import { toHostedVersions } from '../actors/machine-versions.ts'
import type { InFlightResult } from '../charts/review/in-flight-result.ts'
import { readConfig } from '../config.ts'
import { createCall } from '../infra/supabase/call.ts'
import { createLiveReadModel } from '../infra/supabase/live-read-model.ts'
import type { MachineRegistry } from '../machines/registry.ts'
import { openCharts } from '../parts/charts.ts'
import { createInFlightCheck, readMigrationMaps } from '../parts/in-flight.ts'
import { loadMachines } from '../parts/machines.ts'
import { performedKinds } from '../parts/node.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { toPrintable } from './sentence.ts'

/** Conversations of a machine that this build does not have are blocked, whatever they stand in. */
type Unhosted = { readonly machine: string; readonly count: number; readonly open: number }
type InFlight = { readonly machines: readonly InFlightResult[]; readonly unhosted: readonly Unhosted[] }

export async function runCheck({ words, options, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('check takes no arguments')
  const registry = await loadMachines(readConfig(env).machines)
  const findings = lintMachines(registry, { performers: performedKinds })
  const inFlight = options['machines'] === true ? null : await readInFlight(env, registry)
  const isGood = findings.length === 0 && (inFlight === null || isGreen(inFlight))
  const machines = Object.values(registry).map((registration) => ({
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
async function readInFlight(env: CommandCall['env'], registry: MachineRegistry): Promise<InFlight> {
  const config = readConfig(env)
  if (config.supabase === null && !existsSync(join(config.dataDir, 'database'))) return { machines: [], unhosted: [] }
  const charts = openCharts({ machines: registry, onFailure: () => {} })
  try {
    return await withStore(config, { mayMake: false }, async (store, client) => {
      const live = createLiveReadModel(createCall(client))
      const { library } = charts
      const check = createInFlightCheck({ library, machines: registry, drafts: {}, live, maps: readMigrationMaps() })
      const own = library.list().filter(({ source }) => source === 'build')
      const machines: InFlightResult[] = []
      for (const entry of own) machines.push(await check(entry))
      const { items } = await store.distinctStates()
      return { machines, unhosted: items.filter(({ machine }) => registry[machine] === undefined) }
    })
  } finally {
    await charts.close()
  }
}

function isGreen({ machines, unhosted }: InFlight): boolean {
  return unhosted.length === 0 && machines.every(({ verdict }) => verdict === 'green')
}

function describeFindings(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['  the host can honour all of it']
  return findings.map((finding) => `  bad: ${toSentence(finding)}`)
}

function describeInFlight({ machines, unhosted }: InFlight): string[] {
  const standing = machines.flatMap(({ machine, states }) =>
    states.map(({ machineVersion, value, count, open, outcome, reasons }) => {
      const where = `${machine} ${machineVersion} ${typeof value === 'string' ? value : JSON.stringify(value)}`
      const why = reasons.map(({ sentence }) => toPrintable(sentence)).join('; ')
      return `  ${where}: ${count} (${open} open), ${outcome}${why === '' ? '' : `: ${why}`}`
    }),
  )
  const foreign = unhosted.map(({ machine, count, open }) => {
    return `  ${toPrintable(machine)}: ${count} (${open} open), blocked: this build has no such machine`
  })
  const sum = (outcome: 'ok' | 'mapped' | 'blocked'): number =>
    machines.reduce((total, { counts }) => total + counts[outcome], 0)
  const blocked = sum('blocked') + unhosted.reduce((total, { count }) => total + count, 0)
  return [
    'conversations that are stored, by the state in which they stand',
    ...standing,
    ...foreign,
    `  ${sum('ok')} ok, ${sum('mapped')} mapped, ${blocked} blocked`,
  ]
}
