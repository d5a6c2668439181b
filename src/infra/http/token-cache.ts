/**
 * Whose an API token is, remembered for a few seconds: a token that was revoked is refused soon after, and one that is
 * guessed costs the database no more than one question.
 */
import type { Clock } from '../../actors/ports.ts'

const rememberedMs = 5_000
const tokensMax = 1_000

type Find = (tokenHash: string) => Promise<string | null>

export function createTokenCache(find: Find, clock: Clock): Find {
  const known = new Map<string, { readonly tenantId: string | null; readonly until: number }>()
  return async (tokenHash) => {
    const remembered = known.get(tokenHash)
    if (remembered !== undefined && clock.monotonic() < remembered.until) return remembered.tenantId
    const tenantId = await find(tokenHash)
    if (known.size >= tokensMax) known.clear()
    known.set(tokenHash, { tenantId, until: clock.monotonic() + rememberedMs })
    return tenantId
  }
}
