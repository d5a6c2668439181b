/** Row locks of partitions, as `for no key update` takes them: in order, waited for one after the other. */
export class RowLocks {
  readonly #locked = new Set<number>()
  #waiting: { readonly rows: readonly number[]; readonly resume: () => void }[] = []

  isLocked(row: number): boolean {
    return this.#locked.has(row)
  }

  /** Resolves with the function that gives the locks back. */
  async take(rows: readonly number[]): Promise<() => void> {
    if (rows.some((row) => this.#locked.has(row))) {
      await new Promise<void>((resume) => {
        this.#waiting.push({ rows, resume })
      })
    } else this.#lock(rows)
    return () => this.#release(rows)
  }

  #lock(rows: readonly number[]): void {
    for (const row of rows) this.#locked.add(row)
  }

  #release(rows: readonly number[]): void {
    for (const row of rows) this.#locked.delete(row)
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) {
      if (waiter.rows.some((row) => this.#locked.has(row))) this.#waiting.push(waiter)
      else {
        this.#lock(waiter.rows)
        waiter.resume()
      }
    }
  }
}
