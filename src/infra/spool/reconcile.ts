/**
 * Brings back what never reached the log: the provider's list of received messages, less those that the store knows,
 * is published like any webhook's event. A message that is in the log and not applied yet is published once more; the
 * log or the database recognises it.
 */
import type { LoggedEvent, LoggedMessage, Telemetry } from '../../actors/ports.ts'

export type Reconcile = {
  /** Received at or after `since`, oldest first; rejects when the provider does not answer. */
  readonly listReceived: (since: number) => Promise<readonly LoggedMessage[]>
  /** Those of the provider ids that are stored messages of this business address; null: it is no channel. */
  readonly findKnown: (businessAddress: string, providerIds: readonly string[]) => Promise<ReadonlySet<string> | null>
  readonly publish: (event: LoggedEvent) => Promise<unknown>
  readonly telemetry: Telemetry
}

export type Reconciled = {
  readonly listed: number
  readonly known: number
  /** Their provider ids, in the order of publication. */
  readonly recovered: readonly string[]
}

const idsPerCall = 500
const publishedAtOnce = 100

export async function reconcile(
  { listReceived, findKnown, publish, telemetry }: Reconcile,
  since: number,
): Promise<Reconciled> {
  const listed = await listReceived(since)
  const missing = await withoutKnown(listed, findKnown)
  const recovered: string[] = []
  for (let start = 0; start < missing.length; start += publishedAtOnce) {
    const chunk = missing.slice(start, start + publishedAtOnce)
    const sessions = Map.groupBy(chunk, ({ businessAddress, userKey }) => `${businessAddress} ${userKey}`)
    await Promise.all(
      [...sessions.values()].map(async (own) => {
        for (const event of own) {
          await publish(event)
          recovered.push(event.providerId)
        }
      }),
    )
    telemetry.count('recovered', {}, chunk.length)
  }
  return { listed: listed.length, known: listed.length - missing.length, recovered }
}

async function withoutKnown(
  listed: readonly LoggedMessage[],
  findKnown: Reconcile['findKnown'],
): Promise<readonly LoggedMessage[]> {
  const isMissing = new Set<LoggedMessage>()
  for (const [address, own] of Map.groupBy(listed, ({ businessAddress }) => businessAddress)) {
    for (let start = 0; start < own.length; start += idsPerCall) {
      const chunk = own.slice(start, start + idsPerCall)
      const known = await findKnown(
        address,
        chunk.map(({ providerId }) => providerId),
      )
      for (const event of chunk) if (known?.has(event.providerId) === false) isMissing.add(event)
    }
  }
  return listed.filter((event) => isMissing.has(event))
}
