/**
 * What one process sends to be committed (DESIGN D6): of a partition at most one commit is in flight, and after a
 * lost answer the very same bytes come again before anything else of those partitions.
 */
import type { CommitBatch } from '../../../src/actors/ports.ts'
import type { History } from './history.ts'

type Sent = { readonly text: string; isInFlight: boolean }

export class CommitWatch {
  readonly #history: History
  /** By partition and epoch: the commit that is in flight, or whose answer was lost. */
  readonly #open = new Map<string, Sent>()

  constructor(history: History) {
    this.#history = history
  }

  readonly onCommit = (batch: CommitBatch, text: string): ((outcome: 'answered' | 'refused' | 'unknown') => void) => {
    const keys = batch.partitions.map(({ partition, epoch }) => `${partition} ${epoch}`)
    const sent: Sent = { text, isInFlight: true }
    for (const key of keys) {
      const open = this.#open.get(key)
      if (open?.isInFlight === true) this.#history.wrong('D6', `two commits of partition ${key} are in flight`)
      else if (open !== undefined && open.text !== text)
        this.#history.wrong('D6', `partition ${key}: other bytes after a lost answer`)
      this.#open.set(key, sent)
    }
    return (outcome) => {
      sent.isInFlight = false
      if (outcome === 'unknown') return
      for (const key of keys) if (this.#open.get(key) === sent) this.#open.delete(key)
    }
  }
}
