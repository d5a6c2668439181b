/**
 * The reconciliation that an incident of the log makes due (DESIGN D2). The database remembers that it is due, whatever
 * ends meanwhile, and gives it to one node; all wait for it before a timer of theirs fires.
 */
import type { LogStateStore } from '../../actors/log-state-store.ts'
import type { Clock, Telemetry } from '../../actors/ports.ts'
import type { Reconciled } from './reconcile.ts'

const leaseMs = 60_000
const askAgainMs = 500
const tryAgainMs = 2_000

export type ReconciliationOptions = {
  readonly state: Pick<LogStateStore, 'claimReconciliation' | 'finishReconciliation'>
  readonly reconcile: (since: number) => Promise<Reconciled>
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly nodeId: string
}

export type Reconciliation = {
  /** Resolves when none is due; it never rejects, and goes on until it is stopped. */
  reconciled(): Promise<void>
  stop(): void
}

export function createReconciliation(options: ReconciliationOptions): Reconciliation {
  const { clock, telemetry } = options
  let isStopped = false
  let running: Promise<void> | null = null
  const pause = async (delayMs: number): Promise<void> =>
    new Promise((resolve) => void clock.schedule(delayMs, resolve))
  const run = async (): Promise<void> => {
    while (!isStopped) {
      try {
        if ((await reconcileOnce(options)) === 'done') return
        await pause(askAgainMs)
      } catch (error) {
        const fields = { error: toText(error) }
        telemetry.log('error', 'could not reconcile with the provider; no timer fires before that', fields)
        await pause(tryAgainMs)
      }
    }
  }
  return {
    async reconciled() {
      running ??= run().finally(() => {
        running = null
      })
      return running
    },
    stop() {
      isStopped = true
    },
  }
}

async function reconcileOnce(options: ReconciliationOptions): Promise<'done' | 'elsewhere'> {
  const { state, telemetry, nodeId } = options
  const { since, incidents, isMine } = await state.claimReconciliation(nodeId, leaseMs)
  if (since === null) return 'done'
  if (!isMine) return 'elsewhere'
  telemetry.log('warn', 'reconciling with the provider', { since: new Date(since).toISOString() })
  const { listed, known, recovered } = await options.reconcile(since)
  const { isDone } = await state.finishReconciliation(nodeId, incidents)
  telemetry.log('warn', 'reconciled with the provider', { listed, known, recovered: recovered.length })
  return isDone ? 'done' : 'elsewhere'
}

function toText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${toText(error.cause)}`
}
