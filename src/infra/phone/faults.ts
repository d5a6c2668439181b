/**
 * What the fake Twilio does wrong on purpose, for the next sends only (or the next to one address). Faults are
 * used up in the order in which they were asked for.
 *
 *   rate-limit          429 with code 20429; nothing is accepted
 *   server-error        500 with code 20500; nothing is accepted
 *   accept-then-error   the message is accepted, and the answer is 500
 *   drop                the connection is cut; nothing is accepted
 *   accept-then-drop    the message is accepted, and the connection is cut
 *   window-closed       201, and later the callback `undelivered` with 63016
 *   window-refused      400 with code 63016; nothing is accepted
 *   refused             400 with the fault's `code`; nothing is accepted
 *   undelivered         201, and later the callback `undelivered` with the fault's `code`
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
  'refused',
  'undelivered',
  'none',
] as const

export type Fault = {
  readonly kind: (typeof faultKinds)[number]
  /** The answer waits this long; an accepted message is in the ledger before. */
  readonly delayMs: number
  /** False: nobody is ever told what became of the message. */
  readonly callbacks: boolean
  /** Only sends to this address, as Twilio writes it; absent: any. */
  readonly to?: string
  /** Twilio's error code, of `refused` and `undelivered`. */
  readonly code?: number
}

export type FaultQueue = {
  add(fault: Fault, count: number): void
  /** The fault of the next send, which goes to this address. */
  take(to: string): Fault
  clear(): void
}

const noFault: Fault = { kind: 'none', delayMs: 0, callbacks: true }

export function createFaultQueue(): FaultQueue {
  const waiting: { readonly fault: Fault; left: number }[] = []
  return {
    add: (fault, count) => waiting.push({ fault, left: count }),
    take(to) {
      const index = waiting.findIndex(({ fault }) => fault.to === undefined || fault.to === to)
      const next = waiting[index]
      if (next === undefined) return noFault
      next.left -= 1
      if (next.left <= 0) waiting.splice(index, 1)
      return next.fault
    },
    clear: () => waiting.splice(0),
  }
}
