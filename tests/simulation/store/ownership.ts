/** `claim_partitions` and `release_partitions` of supabase/migrations, statement by statement. */
import type { ClaimAnswer, ClaimRequest, MachineVersions, OwnedPartition } from '../../../src/actors/ports.ts'
import type { RowLocks } from './row-locks.ts'
import type { PartitionRow, Tables } from './tables.ts'

const forgetsNodesAfterMs = 3_600_000

/** The rows that a claim waits for before it looks at anything. */
export function toLockedByClaim(tables: Tables, { nodeId, takeAll }: ClaimRequest): number[] {
  return tables.partitions.filter(({ owner }) => takeAll || owner === nodeId).map(({ partition }) => partition)
}

/** What a partition `needs` of its owner is not simulated: all nodes run the same machines. */
export function claim(tables: Tables, locks: RowLocks, request: ClaimRequest, moment: number): ClaimAnswer {
  const { nodeId, leaseMs, takeAll, renewOnly, canRead = true } = request
  countNode(tables, request, moment)
  const held = request.held
    .filter(({ partition, epoch }) => {
      const row = tables.partitions[partition]
      return row !== undefined && row.epoch === epoch && row.owner === nodeId
    })
    .map(({ partition }) => partition)
    .toSorted((a, b) => a - b)
  // What is more than the share is kept until the node has handed it over.
  const share = renewOnly ? held.length : toShare(tables, request, held.length, moment)
  const surplus = new Set(held.slice(share))
  for (const partition of held) tables.partition(partition).leaseUntil = moment + leaseMs
  if (canRead && !renewOnly) {
    const isFree = (row: PartitionRow): boolean =>
      !held.includes(row.partition) &&
      (takeAll || row.owner === null || row.owner === nodeId || (row.leaseUntil !== null && row.leaseUntil < moment)) &&
      // What it owns it has locked itself; what another one is writing in, whoever believes to hold it, is passed over.
      (takeAll || row.owner === nodeId || !locks.isLocked(row.partition))
    const taken = tables.partitions.filter(isFree).slice(0, Math.max(0, share - held.length))
    for (const row of taken) {
      row.owner = nodeId
      row.epoch += 1
      row.leaseUntil = moment + leaseMs
      row.lastCommitId = null
      row.lastCommitOutcome = null
      held.push(row.partition)
    }
  }
  const partitions = held
    .toSorted((a, b) => a - b)
    .map((partition) => {
      const { epoch, cursor } = tables.partition(partition)
      return { partition, epoch, cursor, isSurplus: surplus.has(partition) }
    })
  return { partitions, machines: toCommon(tables, request, moment) }
}

/** `common_machines`: of the versions that the node announces, those that every live node knows. */
function toCommon(tables: Tables, { nodeId, machines }: ClaimRequest, moment: number): MachineVersions {
  const others = [...tables.nodes].filter(([other, row]) => other !== nodeId && row.seenAt > moment - row.leaseMs)
  const knows = (version: string, machine: string): boolean =>
    others.every(([, row]) => row.machines[machine]?.includes(version) ?? true)
  return Object.fromEntries(
    Object.entries(machines).map(([machine, versions]) => [machine, versions.filter((one) => knows(one, machine))]),
  )
}

function countNode(
  tables: Tables,
  { nodeId, leaseMs, takeAll, renewOnly, machines, canRead = true }: ClaimRequest,
  moment: number,
): void {
  for (const [other, { seenAt }] of tables.nodes) {
    if (other !== nodeId && (takeAll || seenAt < moment - forgetsNodesAfterMs)) tables.nodes.delete(other)
  }
  tables.nodes.set(nodeId, { seenAt: moment, leaseMs, isLeaving: renewOnly, machines, canRead })
}

/** `fair_share`: the same number for all, and one more for the first of them where it does not come out even. */
function toShare(tables: Tables, { nodeId, canRead = true }: ClaimRequest, holds: number, moment: number): number {
  const reading = [...tables.nodes]
    .filter(([, row]) => !row.isLeaving && row.canRead && row.seenAt > moment - row.leaseMs)
    .map(([id]) => id)
    .toSorted()
  // Nobody reads: whoever holds a partition may at least finish what it has begun.
  if (!canRead) return reading.length === 0 ? holds : 0
  const number = tables.partitions.length
  return Math.floor(number / reading.length) + (reading.indexOf(nodeId) < number % reading.length ? 1 : 0)
}

export function release(tables: Tables, nodeId: string, given: readonly OwnedPartition[]): void {
  for (const { partition, epoch } of given) {
    const row = tables.partitions[partition]
    if (row === undefined || row.epoch !== epoch || row.owner !== nodeId) continue
    row.owner = null
    row.leaseUntil = null
  }
  if (!tables.partitions.some(({ owner }) => owner === nodeId)) tables.nodes.delete(nodeId)
}
