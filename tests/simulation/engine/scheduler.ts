/**
 * Decides what happens next. Everything asynchronous in a simulation is a task here: the ports' answers, the
 * nodes' timers, the world's own acts. One decision takes the earliest task (among equals the seed decides), moves
 * the virtual time to it, runs it and lets every promise that follows from it go on. Nothing else makes progress,
 * so a seed replays exactly.
 */
import TinyQueue from 'tinyqueue'

import type { SimulatedProcess } from './process.ts'
import type { SeededRandom } from './random.ts'

type Task = {
  at: number
  tie: number
  readonly owner: SimulatedProcess | null
  readonly label: string
  readonly run: () => void
  isDead: boolean
}

/** The real one: the trap replaces the global while a simulation runs. */
const nextTurn = setImmediate

/** A simulation that decides more often runs in circles. */
const stepsMax = 400_000

export const startsAt = 1_800_000_000_000

export class Scheduler {
  now = startsAt
  steps = 0
  /** Over every decision's label and moment: two runs of one seed must end with the same. */
  hash = 0x811c9dc5
  onStep: ((label: string, owner: SimulatedProcess | null) => void) | null = null
  readonly random: SeededRandom
  readonly #tasks = new TinyQueue<Task>([], (a, b) => a.at - b.at || a.tie - b.tie)

  constructor(random: SeededRandom) {
    this.random = random
  }

  /** Runs `run` after `delayMs`, in the memory of `owner` (null: the world, which never dies). */
  after(owner: SimulatedProcess | null, delayMs: number, label: string, run: () => void): () => void {
    const at = this.now + Math.max(0, Math.ceil(delayMs)) + (owner?.slowMs ?? 0)
    const task: Task = { at, tie: this.random.next(), owner, label, run, isDead: false }
    this.#tasks.push(task)
    return () => {
      task.isDead = true
    }
  }

  pause(owner: SimulatedProcess | null, delayMs: number, label: string): Promise<void> {
    return new Promise((resolve) => {
      this.after(owner, delayMs, label, resolve)
    })
  }

  /** Decides until the moment `until` or until `isDone`, which is asked once every virtual second. */
  async run(until: number, isDone: () => boolean = () => false): Promise<boolean> {
    let askAt = this.now
    for (;;) {
      if (this.now >= askAt) {
        if (isDone()) return true
        askAt = this.now + 1_000
      }
      const task = this.#take(until)
      if (task === null) {
        this.now = Math.max(this.now, until)
        return isDone()
      }
      this.now = Math.max(this.now, task.at)
      this.steps += 1
      if (this.steps > stepsMax) throw new Error(`the simulation has not ended after ${stepsMax} steps`)
      this.#mix(task)
      this.onStep?.(task.label, task.owner)
      task.run()
      await settled()
    }
  }

  #take(until: number): Task | null {
    for (;;) {
      const task = this.#tasks.peek()
      if (task === undefined || task.at > until) return null
      this.#tasks.pop()
      if (task.isDead || task.owner?.isDead === true) continue
      const wakesAt = task.owner?.pausedUntil ?? 0
      if (wakesAt <= Math.max(this.now, task.at)) return task
      task.at = wakesAt
      task.tie = this.random.next()
      this.#tasks.push(task)
    }
  }

  #mix({ label, at }: Task): void {
    let hash = this.hash ^ (at | 0)
    for (let index = 0; index < label.length; index += 1) hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193)
    this.hash = hash >>> 0
  }
}

/** A turn of the event loop begins when no promise can go on any more. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    nextTurn(resolve)
  })
}
