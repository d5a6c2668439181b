/**
 * The positions of one partition between the committed cursor and the newest event read, in order.
 * The cursor may move over a position only when it is finished: every earlier one is, too.
 */
export type TrackedPosition = {
  readonly sequence: number
  readonly bytes: number
  state: 'waiting' | 'leaving' | 'finished'
}

export class Positions {
  #tracked: TrackedPosition[] = []
  #head = 0
  #bytes = 0

  /** Adds the next event read; sequences only grow. */
  add(sequence: number, bytes: number): TrackedPosition {
    const position: TrackedPosition = { sequence, bytes, state: 'waiting' }
    this.#bytes += bytes
    this.#tracked.push(position)
    return position
  }

  get unfinished(): number {
    return this.#tracked.length - this.#head
  }

  /** Of the events that are read and not behind the cursor. */
  get unfinishedBytes(): number {
    return this.#bytes
  }

  /** The last sequence that a commit may name: everything up to it is finished or part of that commit. */
  reachable(): number | null {
    let reached: number | null = null
    for (let index = this.#head; index < this.#tracked.length; index += 1) {
      const position = this.#tracked[index]
      if (position === undefined || position.state === 'waiting') break
      reached = position.sequence
    }
    return reached
  }

  /** Forgets positions that the store's cursor has passed. */
  forgetThrough(sequence: number): void {
    while (this.#head < this.#tracked.length && (this.#tracked[this.#head]?.sequence ?? Infinity) <= sequence) {
      this.#bytes -= this.#tracked[this.#head]?.bytes ?? 0
      this.#head += 1
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#tracked.length) {
      this.#tracked = this.#tracked.slice(this.#head)
      this.#head = 0
    }
  }
}
