/**
 * A node in a process of its own, whose heap can be measured after a forced collection (`--expose-gc`):
 * `createNode` with the real log and the real repository. Its sends are accepted at once and its drafts take
 * no time, so that all sessions settle before the first one leaves memory. Ends when its parent goes.
 */
import { createNode } from '../../src/actors/node.ts'
import type { EffectPerformer } from '../../src/actors/ports.ts'
import { createScriptedAssistant } from '../../src/infra/ai/scripted-assistant.ts'
import { openNats } from '../../src/infra/nats/connection.ts'
import { createEventLog } from '../../src/infra/nats/event-log.ts'
import { openStream } from '../../src/infra/nats/stream.ts'
import { processClock } from '../../src/infra/process/clock.ts'
import { processIds } from '../../src/infra/process/ids.ts'
import { openSupabase } from '../../src/infra/supabase/client.ts'
import { createRepository } from '../../src/infra/supabase/repository.ts'
import { createTelemetry } from '../../src/infra/telemetry/telemetry.ts'
import { registeredMachines } from '../../src/machines/registered.ts'

export type ResidentNodeSettings = {
  readonly natsUrl: string
  readonly supabase: { readonly url: string; readonly secretKey: string }
  readonly partitions: number
  readonly businessAddress: string
}

export type ResidentNodeState = {
  readonly residentSessions: number
  readonly isReady: boolean
  /** After a forced collection; null unless it was asked for. */
  readonly memory: { readonly heapUsed: number; readonly external: number; readonly rss: number } | null
}

const collectionsBeforeMeasuring = 4
const streamBytesMax = 2 ** 31

const settings = JSON.parse(process.argv[2] ?? '{}') as ResidentNodeSettings
const { partitions, businessAddress } = settings
const telemetry = createTelemetry('resident', 'warn')
const connection = await openNats({ url: settings.natsUrl }, 'resident')
const stream = await openStream(connection, { partitions, replicas: 1, bytesMax: streamBytesMax })
const store = createRepository(openSupabase(settings.supabase))
await store.initializeDeployment({ partitions, businessAddresses: [businessAddress], providerAccount: null })

let sent = 0
const acceptAtOnce: EffectPerformer = {
  isVisible: true,
  async perform() {
    sent += 1
    return { kind: 'done', output: null, providerId: `SM${sent.toString(16).padStart(32, '0')}` }
  },
}

const node = createNode({
  clock: processClock,
  ids: processIds,
  random: Math.random,
  log: createEventLog(connection, stream, telemetry),
  store,
  telemetry,
  registry: registeredMachines,
  reached: () => {},
  commandSettled: () => {},
  emitted: () => {},
  performers: {
    draftReply: createScriptedAssistant({ latencyMs: 0, clock: processClock }),
    transcribe: createScriptedAssistant({ latencyMs: 0, clock: processClock }),
    sendMessage: acceptAtOnce,
  },
  settings: {
    nodeId: 'resident',
    defaultMachine: 'conversation',
    leaseMs: 3_000,
    isSoleOwner: true,
    mayAdvanceClock: false,
    resolveAfterMs: [1_000],
  },
})
await node.start()

process.on('disconnect', () => process.exit(0))
process.on('message', (order: 'describe' | 'measure') => void tell(order))

async function tell(order: 'describe' | 'measure'): Promise<void> {
  const memory = order === 'measure' ? await measure() : null
  const { residentSessions, active } = node.describe()
  const state: ResidentNodeState = { residentSessions, isReady: active === partitions, memory }
  process.send?.(state)
}

/** What a collection frees may be held by finalizers until the next turn of the event loop. */
async function measure(): Promise<ResidentNodeState['memory']> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('this process needs --expose-gc')
  for (let time = 0; time < collectionsBeforeMeasuring; time += 1) {
    gc()
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapUsed, external, rss }
}
