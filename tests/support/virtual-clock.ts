/** A clock that stands still until it is advanced; tasks run in the order of their moments. */
import type { Clock } from '../../src/actors/ports.ts'

export type VirtualClock = Clock & {
  /** Moves time forward, running every task that becomes due and everything that follows from it. */
  advance(byMs: number): Promise<void>
}

export function createVirtualClock(startsAt = 1_800_000_000_000): VirtualClock {
  let now = startsAt
  let tasks: { at: number; order: number; run: () => void }[] = []
  let order = 0
  return {
    now: () => now,
    monotonic: () => now - startsAt,
    schedule(delayMs, run) {
      const task = { at: now + Math.max(0, delayMs), order: (order += 1), run }
      tasks.push(task)
      return () => {
        tasks = tasks.filter((other) => other !== task)
      }
    },
    async advance(byMs) {
      const until = now + byMs
      await settled()
      for (;;) {
        const next = tasks.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at || a.order - b.order)[0]
        if (next === undefined) break
        tasks = tasks.filter((task) => task !== next)
        now = Math.max(now, next.at)
        next.run()
        await settled()
      }
      now = until
    },
  }
}

/** Lets every promise that can go on do so: memory ports need a few turns of the microtask queue. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}
