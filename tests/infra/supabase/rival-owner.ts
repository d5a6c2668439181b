/**
 * One of two owners of a conversation. As a program (arguments: URL, secret key, node id) it answers every `Rival`
 * message with an `Attempt`, and ends when its parent does.
 */
import { pathToFileURL } from 'node:url'
import type { OwnedPartition, SessionOutcome, Store } from '../../../src/actors/ports.ts'
import { openSupabase } from '../../../src/infra/supabase/client.ts'
import { createRepository } from '../../../src/infra/supabase/repository.ts'
import { batchOf, claimAll, nextStep, type TestSession } from './batches.ts'

export type Owner = { readonly nodeId: string; readonly owned: readonly OwnedPartition[] }

/** Commit the step after `baseVersion` of each session, as this owner, or after a claim of one's own. */
export type Rival = {
  readonly sessions: readonly TestSession[]
  readonly baseVersion: number
  readonly owner: Owner
  readonly claims: boolean
  /** The second half of the sessions before the first. */
  readonly reversed: boolean
}

export type Attempt = {
  readonly kinds: { readonly [sessionId: string]: SessionOutcome['kind'] }
  readonly owner: Owner
}

/** One session is one call; several are two, so that two rivals with other orders meet in the middle. */
async function attempt(
  store: Pick<Store, 'claimPartitions' | 'commitSteps'>,
  nodeId: string,
  rival: Rival,
): Promise<Attempt> {
  const { sessions, baseVersion, claims, reversed } = rival
  const owner = claims ? { nodeId, owned: await claimAll({ store }, nodeId) } : rival.owner
  const middle = Math.ceil(sessions.length / 2)
  const halves = [sessions.slice(0, middle), sessions.slice(middle)].filter((half) => half.length > 0)
  const kinds: Record<string, SessionOutcome['kind']> = {}
  for (const half of reversed ? halves.toReversed() : halves) {
    const steps = half.map((session) => nextStep(session, baseVersion, baseVersion + 1))
    const { sessions: outcomes } = await store.commitSteps(batchOf(owner.nodeId, owner.owned, steps))
    for (const [sessionId, { kind }] of outcomes) kinds[sessionId] = kind
  }
  return { kinds, owner }
}

function main(url: string, secretKey: string, nodeId: string): void {
  const store = createRepository(openSupabase({ url, secretKey }))
  process.on('message', (rival: Rival) => {
    attempt(store, nodeId, rival).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}

const [, program = '', url, secretKey, nodeId] = process.argv
if (
  import.meta.url === pathToFileURL(program).href &&
  url !== undefined &&
  secretKey !== undefined &&
  nodeId !== undefined
) {
  main(url, secretKey, nodeId)
}
