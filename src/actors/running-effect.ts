/** What the runner of effects keeps of one that it performs, and of a send that it is about to start. */
import type { Partition } from './partition.ts'
import type { Effect } from './ports.ts'
import type { Session } from './session.ts'

export type RunningEffect = {
  /** As it was started. */
  readonly effect: Effect
  readonly controller: AbortController
  readonly isVisible: boolean
  readonly done: Promise<void>
}

export type WaitingEffect = {
  readonly session: Session
  readonly partition: Partition
  readonly effect: Effect
  /** Of the session when it was asked for. */
  readonly occasion: string
  readonly withdrawals: number | undefined
}
