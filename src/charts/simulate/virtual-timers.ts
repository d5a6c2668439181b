/** The timers of a simulated machine, on a clock that only moves when it is told to. */
import type { EventObject, ExecutableActionObject } from 'xstate'

export type ArmedTimer = { readonly id: string; readonly dueAt: number; readonly event: EventObject }

export type VirtualTimers = {
  /** Milliseconds since the walk began. */
  now(): number
  /** Arms and drops what the actions of a step ask for. */
  follow(actions: readonly ExecutableActionObject[]): void
  /** In the order in which they fire. */
  armed(): readonly ArmedTimer[]
  /** Turns the clock to the next timer that is due by then and takes it; null when there is none. */
  takeDue(until: number): ArmedTimer | null
  turnTo(now: number): void
}

type Raised = { readonly id?: string; readonly delay?: number; readonly event: EventObject }

export function createVirtualTimers(): VirtualTimers {
  let now = 0
  const timers = new Map<string, ArmedTimer>()
  const armed = (): readonly ArmedTimer[] => [...timers.values()].toSorted((a, b) => a.dueAt - b.dueAt)
  return {
    now: () => now,
    armed,
    follow(actions) {
      for (const { type, params } of actions) {
        if (type === 'xstate.cancel') timers.delete((params as { readonly sendId: string }).sendId)
        if (type !== 'xstate.raise') continue
        const { id, delay, event } = params as Raised
        if (delay === undefined || id === undefined) continue
        // Armed anew it stands behind those that were armed before, as in a real clock.
        timers.delete(id)
        timers.set(id, { id, dueAt: now + delay, event })
      }
    },
    takeDue(until) {
      const [next] = armed()
      if (next === undefined || next.dueAt > until) return null
      timers.delete(next.id)
      now = Math.max(now, next.dueAt)
      return next
    },
    turnTo(later) {
      now = later
    },
  }
}
