/**
 * Whether a business address is one of ours, remembered for a moment so that the webhook does not
 * ask the database for every message. A known address is remembered for 30 s, an unknown one for
 * 2 s, so that a channel that was just added works soon. While the database does not answer, what
 * was known stays known: a message must not be refused for that.
 */
import type { Clock } from '../../actors/ports.ts'

const knownForMs = 30_000
const unknownForMs = 2_000
const addressesMax = 10_000

export type FindChannel = (businessAddress: string) => Promise<boolean>

type Entry = { readonly isKnown: boolean; readonly until: number }

export function createChannelCache(find: FindChannel, clock: Clock): FindChannel {
  const entries = new Map<string, Entry>()
  const asking = new Map<string, Promise<boolean>>()

  async function ask(address: string, stale: Entry | undefined): Promise<boolean> {
    try {
      const isKnown = await find(address)
      if (entries.size >= addressesMax) entries.clear()
      entries.set(address, { isKnown, until: clock.monotonic() + (isKnown ? knownForMs : unknownForMs) })
      return isKnown
    } catch (error) {
      if (stale?.isKnown) return true
      throw new Error('could not look up a channel', { cause: error })
    } finally {
      asking.delete(address)
    }
  }

  return (address) => {
    const entry = entries.get(address)
    if (entry !== undefined && clock.monotonic() < entry.until) return Promise.resolve(entry.isKnown)
    const running = asking.get(address) ?? ask(address, entry)
    asking.set(address, running)
    return running
  }
}
