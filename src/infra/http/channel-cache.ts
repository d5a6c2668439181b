/**
 * The account that a business address of ours belongs to, remembered for a moment so that the webhook does not
 * ask the database for every message. A known address is remembered for 5 s, an unknown one for
 * 2 s, so that a channel that was just added works soon. While the database does not answer, what
 * was known stays known: a message must not be refused for that.
 */
import type { Clock } from '../../actors/ports.ts'

const knownForMs = 5_000
const unknownForMs = 2_000
const addressesMax = 10_000

/** Whose webhooks those of a channel are: a token that was rotated is known within seconds. */
export type ChannelAccount = { readonly accountSid: string; readonly authTokens: readonly string[] }

/** Null: no channel has this address. */
export type FindChannel = (businessAddress: string) => Promise<ChannelAccount | null>

type Entry = { readonly account: ChannelAccount | null; readonly until: number }

export function createChannelCache(find: FindChannel, clock: Clock): FindChannel {
  const entries = new Map<string, Entry>()
  const asking = new Map<string, Promise<ChannelAccount | null>>()

  async function ask(address: string, stale: Entry | undefined): Promise<ChannelAccount | null> {
    try {
      const account = await find(address)
      if (entries.size >= addressesMax) entries.clear()
      entries.set(address, { account, until: clock.monotonic() + (account === null ? unknownForMs : knownForMs) })
      return account
    } catch (error) {
      if (stale !== undefined && stale.account !== null) return stale.account
      throw new Error('could not look up a channel', { cause: error })
    } finally {
      asking.delete(address)
    }
  }

  return (address) => {
    const entry = entries.get(address)
    if (entry !== undefined && clock.monotonic() < entry.until) return Promise.resolve(entry.account)
    const running = asking.get(address) ?? ask(address, entry)
    asking.set(address, running)
    return running
  }
}
