/**
 * What the host cannot honour in a machine (DESIGN D1), found before the machine is hosted. `createNode` refuses to
 * start with a finding, and `duologue check` prints them; a plain XState machine that has none runs as it is.
 *
 * 1. Each rule says in a sentence what is wrong and what to do instead.
 * 2. A registration may allow a finding by rule and place, with a reason; an allowance that matches nothing is one.
 */
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'
import { toChartParts } from './chart-parts.ts'
import { lintNames } from './lint-names.ts'
import { lintPurity } from './lint-purity.ts'
import { lintStates } from './lint-states.ts'
import { lintWalk } from './lint-walk.ts'
import { toHostedVersions } from './machine-versions.ts'

export type Remark = { readonly rule: string; readonly where: string; readonly sentence: string }

export type Finding = Remark & { readonly machine: string; readonly version: string }

export type LintOptions = {
  /** The kinds of effects that somebody performs; without it, that rule is not checked. */
  readonly performers?: readonly string[]
}

/** All findings of all versions that run in this build. */
export function lintMachines(registry: MachineRegistry, options: LintOptions = {}): readonly Finding[] {
  return Object.entries(registry).flatMap(([name, registration]) => [
    ...lintRegistration(name, registration),
    ...toHostedVersions(registration).flatMap(({ registration: hosted }) =>
      hosted === null ? [] : lintMachine(hosted, options),
    ),
  ])
}

export function lintMachine(registration: MachineRegistration, options: LintOptions = {}): readonly Finding[] {
  const { machine, allowances = [] } = registration
  const remarks = [...toRemarks(registration), ...lintPerformers(registration, options)]
  const isAllowed = (remark: Remark): boolean =>
    allowances.some(({ rule, where }) => rule === remark.rule && where === remark.where)
  const unused = allowances.filter(
    ({ rule, where }) => !remarks.some((remark) => remark.rule === rule && remark.where === where),
  )
  const stale = unused.map(({ rule, where }) => {
    return {
      rule: 'unused-allowance',
      where,
      sentence: `the registration allows ${rule} here, which is not found: take the allowance away`,
    }
  })
  return [...remarks.filter((remark) => !isAllowed(remark)), ...stale].map((remark) => ({
    machine: machine.id,
    version: machine.version ?? '',
    ...remark,
  }))
}

/** Throws with every sentence when a machine cannot be hosted as it is. */
export function assertHostable(registry: MachineRegistry, options: LintOptions): void {
  const findings = lintMachines(registry, options)
  if (findings.length === 0) return
  const lines = findings.map((finding) => `  ${toSentence(finding)}`)
  throw new Error(`could not host the machines of this build:\n${lines.join('\n')}`)
}

export function toSentence({ machine, version, rule, where, sentence }: Finding): string {
  return `${machine} ${version}, ${where}: ${sentence} (${rule})`
}

/** A machine says the same each time, and walking through it takes a moment. */
const known = new WeakMap<MachineRegistration, readonly Remark[]>()

function toRemarks(registration: MachineRegistration): readonly Remark[] {
  const remarks = known.get(registration) ?? examine(registration)
  known.set(registration, remarks)
  return remarks
}

function examine(registration: MachineRegistration): readonly Remark[] {
  const parts = toChartParts(registration.machine)
  const found = [...lintNames(registration, parts), ...lintStates(registration.machine, parts), ...lintPurity(parts)]
  // Walking through a machine that never comes to rest, or reaches the world, would do the same.
  const isWalkable = !found.some(({ rule }) => ['max-iterations', 'always-cycle', 'impure'].includes(rule))
  return isWalkable ? [...found, ...lintWalk(registration, found)] : found
}

function lintPerformers(registration: MachineRegistration, { performers }: LintOptions): Remark[] {
  if (performers === undefined) return []
  const wanted = new Map<string, string>(registration.effectActions.map((name) => [name, 'effectActions']))
  for (const { where, part } of toChartParts(registration.machine).invokes) wanted.set(String(part.src), where)
  return [...wanted].flatMap(([kind, where]) =>
    performers.includes(kind) || kind.startsWith('xstate.')
      ? []
      : [{ rule: 'no-performer', where, sentence: `nothing here performs '${kind}': its effect could only fail` }],
  )
}

function lintRegistration(name: string, registration: MachineRegistration): Finding[] {
  const { machine } = registration
  const version = machine.version ?? ''
  const remark = (rule: string, where: string, sentence: string): Finding => {
    return { machine: machine.id, version, rule, where, sentence }
  }
  const found: Finding[] = []
  if (machine.id !== name || machine.id === '(machine)') {
    found.push(remark('name', 'id', `the machine's id must be the name under which it is registered, '${name}'`))
  }
  if (version === '')
    found.push(remark('name', 'version', 'the machine needs a version: it is stored with every snapshot'))
  const versions = toHostedVersions(registration).map((hosted) => hosted.version)
  const repeated = versions.find((one, index) => versions.indexOf(one) !== index)
  if (repeated !== undefined) found.push(remark('versions', 'versions', `version ${repeated} is listed twice`))
  for (const older of registration.versions ?? []) {
    const chart = older.registration?.machine
    if (chart !== undefined && (chart.version !== older.version || chart.id !== machine.id)) {
      found.push(remark('versions', `version ${older.version}`, `its chart is of ${chart.id} ${String(chart.version)}`))
    }
  }
  return found
}
