/**
 * The life of one simulated process. Its tasks are its memory: a killed process runs none of them any more, a
 * paused one runs them when it wakes, and does not know that it slept.
 */
export class SimulatedProcess {
  readonly name: string
  isDead = false
  pausedUntil = 0
  /** Every task of it waits this much longer, ms. */
  slowMs = 0
  /** What its wall clock is ahead of the true time, ms. */
  skewMs = 0
  isCutFromLog = false
  isCutFromStore = false

  constructor(name: string) {
    this.name = name
  }
}
