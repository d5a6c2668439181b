/**
 * What the fake Twilio does wrong on purpose, for the next sends only. Faults are used up in the
 * order in which they were asked for.
 *
 *   rate-limit          429 with code 20429; nothing is accepted
 *   server-error        500 with code 20500; nothing is accepted
 *   accept-then-error   the message is accepted, and the answer is 500
 *   drop                the connection is cut; nothing is accepted
 *   accept-then-drop    the message is accepted, and the connection is cut
 *   window-closed       201, and later the callback `undelivered` with 63016
 *   window-refused      400 with code 63016; nothing is accepted
 *   none                an ordinary send (with `delayMs` or without callbacks)
 */

export const faultKinds = [
  'rate-limit',
  'server-error',
  'accept-then-error',
  'drop',
  'accept-then-drop',
  'window-closed',
  'window-refused',
  'none',
] as const

export type Fault = {
  readonly kind: (typeof faultKinds)[number]
  /** The answer waits this long; an accepted message is in the ledger before. */
  readonly delayMs: number
  /** False: nobody is ever told what became of the message. */
  readonly callbacks: boolean
}

export type FaultQueue = {
  add(fault: Fault, count: number): void
  /** The fault of the next send. */
  take(): Fault
  clear(): void
}

const noFault: Fault = { kind: 'none', delayMs: 0, callbacks: true }

export function createFaultQueue(): FaultQueue {
  const waiting: { readonly fault: Fault; left: number }[] = []
  return {
    add: (fault, count) => waiting.push({ fault, left: count }),
    take() {
      const next = waiting[0]
      if (next === undefined) return noFault
      next.left -= 1
      if (next.left <= 0) waiting.shift()
      return next.fault
    },
    clear: () => waiting.splice(0),
  }
}
