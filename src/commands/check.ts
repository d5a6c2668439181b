/**
 * `duologue check`, before a deploy: can the machines of this build be hosted, and what would become of the
 * conversations that are stored? It changes nothing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { toCanonicalJson } from '../actors/canonical-json.ts'
import { checkStates } from '../actors/check-states.ts'
import type { CheckedState } from '../actors/check-states.ts'
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

/**
 * Counts are kept as conversations change. `rest` is what the rows hold besides: of machines that this build does not
 * have, and of states that nobody counted; each is judged by itself.
 */
type InFlight = { readonly machines: readonly InFlightResult[]; readonly rest: readonly CheckedState[] }

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
  if (config.supabase === null && !existsSync(join(config.dataDir, 'database'))) return { machines: [], rest: [] }
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
      const isCounted = ({ machine, machineVersion, value }: Described): boolean =>
        machines.some(
          (one) => one.machine === machine && one.states.some((state) => isSame(state, { machineVersion, value })),
        )
      return {
        machines,
        rest: checkStates(
          registry,
          items.filter((item) => !isCounted(item)),
        ),
      }
    })
  } finally {
    await charts.close()
  }
}

type Place = Pick<CheckedState, 'machineVersion' | 'value'>

function isSame(one: Place, other: Place): boolean {
  return one.machineVersion === other.machineVersion && toCanonicalJson(one.value) === toCanonicalJson(other.value)
}

function isGreen({ machines, rest }: InFlight): boolean {
  return rest.every(({ outcome }) => outcome !== 'blocked') && machines.every(({ verdict }) => verdict === 'green')
}

function describeFindings(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['  the host can honour all of it']
  return findings.map((finding) => `  bad: ${toSentence(finding)}`)
}

function describeInFlight({ machines, rest }: InFlight): string[] {
  const counted = machines.flatMap(({ machine, states }) =>
    states.map((state) => describe({ ...state, machine }, state.outcome, state.reasons.map(toSentenceOf).join('; '))),
  )
  const judged = rest.map((state) => describe(state, toOutcome(state), state.reason ?? ''))
  const sum = (wanted: Outcome): number =>
    machines.reduce((total, { counts }) => total + counts[wanted], 0) +
    rest.filter((state) => toOutcome(state) === wanted).reduce((total, { count }) => total + count, 0)
  return [
    'conversations that are stored, by the state in which they stand',
    ...counted,
    ...judged,
    `  ${sum('ok')} ok, ${sum('mapped')} mapped, ${sum('blocked')} blocked`,
  ]
}

type Outcome = 'ok' | 'mapped' | 'blocked'

function toOutcome({ outcome }: CheckedState): Outcome {
  return outcome === 'blocked' ? 'blocked' : 'ok'
}

function toSentenceOf({ sentence }: { readonly sentence: string }): string {
  return sentence
}

type Described = Pick<CheckedState, 'machine' | 'machineVersion' | 'value' | 'count' | 'open'>

function describe({ machine, machineVersion, value, count, open }: Described, outcome: Outcome, why: string): string {
  const where = `${toPrintable(machine)} ${machineVersion} ${typeof value === 'string' ? value : JSON.stringify(value)}`
  return `  ${where}: ${count} (${open} open), ${outcome}${why === '' ? '' : `: ${toPrintable(why)}`}`
}
