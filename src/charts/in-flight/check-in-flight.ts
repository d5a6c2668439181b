/**
 * The check before a deploy: every distinct (version, state value, timers, running effects, remembered states) that is
 * stored, against the proposed machine. Values are resolved by `resolveState`; no actor is made and nothing runs. What
 * stands in the way is a reason; the migration map answers reasons, and what it answers is tried out on a sample by the
 * very function that migrates in production.
 *
 * The cost is that of the shapes, of which there are few, however many conversations stand in them.
 */
import type { AnyStateMachine } from 'xstate'

import type { MigrationMap } from '../../machines/migration-map.ts'
import { applyMigrationMap } from '../../machines/migration-map.ts'
import type { PersistedSnapshot } from '../../machines/registry.ts'
import type { Chart } from '../chart.ts'
import { indexChart } from '../chart-index.ts'
import { toActive, toInnermost } from '../live/value-states.ts'
import { inFlightSchemaName } from '../review/in-flight-result.ts'
import type { InFlightReason, InFlightResult, InFlightState } from '../review/in-flight-result.ts'
import type { Json } from '../../machines/json.ts'
import { findReasons } from './find-reasons.ts'
import type { Shape } from './find-reasons.ts'

export type Sample = { readonly snapshot: Json; readonly timers: Json }

export type StoredShape = Shape & {
  readonly shape: string
  readonly machineVersion: string
  readonly count: number
  readonly open: number
  readonly oldestAt: string | null
  readonly samples: readonly Sample[]
}

export type Proposal = {
  readonly chart: Chart
  readonly hash: string
  readonly machine: AnyStateMachine
  /** Of the last hop, for conversations of this version; null: none was made. */
  readonly mapOf: (version: string) => MigrationMap | null
  /** The chart that wrote a version; null when it was not kept. */
  readonly chartOf: (version: string) => { readonly chart: Chart; readonly hash: string } | null
  readonly isKnown: (version: string) => boolean
  /** What the code of the migrations makes of it, before any map. Throws when it does. */
  readonly bring: (version: string, snapshot: PersistedSnapshot) => PersistedSnapshot
  /** Migrates and restores it as in production would be done; a sentence when that fails. */
  readonly tryOut: (version: string, sample: Sample) => string | null
}

export type StoredShapes = {
  readonly at: string
  readonly snapshotId: string
  readonly shapes: readonly StoredShape[]
}

type Checked = { readonly state: InFlightState; readonly tried: number; readonly failures: readonly string[] }

export function checkInFlight(proposal: Proposal, { at, snapshotId, shapes }: StoredShapes): InFlightResult {
  const checked = shapes.map((shape) => checkShape(proposal, shape))
  const states = checked.map(({ state }) => state)
  const count = (outcome: InFlightState['outcome']): number =>
    states.filter((state) => state.outcome === outcome).reduce((sum, state) => sum + state.count, 0)
  const tried = checked.reduce((sum, one) => sum + one.tried, 0)
  const failures = checked.flatMap((one) => one.failures)
  const isGreen = states.every(({ outcome }) => outcome !== 'blocked') && failures.length === 0
  return {
    schema: inFlightSchemaName,
    machine: proposal.chart.machine,
    version: proposal.chart.version,
    hash: proposal.hash,
    verdict: isGreen ? 'green' : 'blocked',
    at,
    snapshotId,
    counts: { ok: count('ok'), mapped: count('mapped'), blocked: count('blocked') },
    total: states.reduce((sum, state) => sum + state.count, 0),
    open: states.reduce((sum, state) => sum + state.open, 0),
    states: states.toSorted((one, other) => toRank(one) - toRank(other) || other.count - one.count),
    dryRun: { tried, restored: tried - failures.length, failures },
  }
}

const ranks = { blocked: 0, mapped: 1, ok: 2 } as const

function toRank({ outcome }: InFlightState): number {
  return ranks[outcome]
}

function checkShape(proposal: Proposal, shape: StoredShape): Checked {
  const { machineVersion, value, timers, children, count, open, oldestAt } = shape
  const writer = proposal.chartOf(machineVersion)
  const { reasons, toValue } = judge(proposal, shape)
  const isBlocked = reasons.some(({ isMapped }) => !isMapped)
  const failures = isBlocked ? [] : shape.samples.flatMap((sample) => proposal.tryOut(machineVersion, sample) ?? [])
  const [failure] = failures
  const told: readonly InFlightReason[] =
    failure === undefined
      ? reasons
      : [...reasons, { kind: 'not-restored', subject: shape.shape, sentence: failure, isMapped: false }]
  const outcome = told.some(({ isMapped }) => !isMapped) ? 'blocked' : told.length > 0 ? 'mapped' : 'ok'
  const state: InFlightState = {
    shape: shape.shape,
    machineVersion,
    value,
    stateIds: toStateIds(writer?.chart ?? proposal.chart, value),
    timers,
    children,
    count,
    open,
    oldestAt,
    outcome,
    reasons: told,
    toValue: outcome === 'blocked' ? null : toValue,
  }
  return { state, tried: isBlocked ? 0 : shape.samples.length, failures }
}

function toStateIds(chart: Chart, value: Json): readonly string[] {
  const index = indexChart(chart)
  return toInnermost(index, toActive(index, value) ?? [])
}

/** What stands in the way, and where it goes on. */
function judge(proposal: Proposal, shape: StoredShape): { reasons: readonly InFlightReason[]; toValue: Json } {
  const { machineVersion: version } = shape
  const { chart, machine } = proposal
  const map = proposal.mapOf(version)
  const block = (kind: InFlightReason['kind'], sentence: string) => ({
    reasons: [{ kind, subject: version, sentence, isMapped: false }],
    toValue: null,
  })
  if (!proposal.isKnown(version) && map === null) {
    return block('version-unknown', `nothing leads from version ${version} to ${chart.version}`)
  }
  let brought: PersistedSnapshot
  try {
    brought = proposal.bring(version, toSnapshot(shape))
  } catch (error) {
    return block('not-restored', error instanceof Error ? error.message : String(error))
  }
  const writer = proposal.chartOf(version)
  const isSame = version === chart.version
  const found = findReasons({
    machine,
    chart,
    writer: writer?.chart ?? null,
    before: { ...shape, value: brought.value, history: brought.historyValue },
    storedValue: shape.value,
    map,
    mapped: map === null ? brought : applyMigrationMap(machine, map, brought),
  })
  if (!isSame || found.reasons.length === 0) return found
  if (writer !== null && writer.hash === proposal.hash) return { ...found, reasons: [] }
  const sentence = `the machine was changed and still calls itself version ${version}: nothing would migrate it`
  return {
    ...found,
    reasons: [
      { kind: 'version-unchanged', subject: version, sentence, isMapped: false },
      ...found.reasons.map((reason) => ({ ...reason, isMapped: false })),
    ],
  }
}

/** A conversation of the shape; one that was made up when none could be read. */
function toSnapshot({ samples, value, children, history }: StoredShape): PersistedSnapshot {
  const [sample] = samples
  if (sample !== undefined) return sample.snapshot as PersistedSnapshot
  const running = Object.entries(children).map(([id, src]) => [id, { src, snapshot: {} }] as const)
  return { status: 'active', value, context: {}, historyValue: history, children: Object.fromEntries(running) }
}
