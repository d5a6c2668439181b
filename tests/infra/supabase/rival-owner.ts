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

/** Commit the step after `baseVersion`, as this owner, or after a claim of one's own. */
export type Rival = {
  readonly session: TestSession
  readonly baseVersion: number
  readonly owner: Owner
  readonly claims: boolean
}

export type Attempt = { readonly kind: SessionOutcome['kind']; readonly owner: Owner }

export async function attempt(
  store: Pick<Store, 'claimPartitions' | 'commitSteps'>,
  nodeId: string,
  rival: Rival,
): Promise<Attempt> {
  const { session, baseVersion, claims } = rival
  const owner = claims ? { nodeId, owned: await claimAll({ store }, nodeId) } : rival.owner
  const batch = batchOf(owner.nodeId, owner.owned, [nextStep(session, baseVersion, baseVersion + 1)])
  const outcome = (await store.commitSteps(batch)).sessions.get(session.sessionId)
  return { kind: outcome?.kind ?? 'fenced', owner }
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
