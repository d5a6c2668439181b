/**
 * Takes real time, randomness and timers away while a simulation runs: whoever asks for them there gets an error,
 * and is counted, since somebody may catch the error.
 */
export type Trap = { readonly caught: readonly string[]; open(): void }

export function closeTrap(): Trap {
  const caught: string[] = []
  const refuse = (name: string) => (): never => {
    caught.push(name)
    throw new Error(`${name} was called inside a simulation`)
  }
  const undo: (() => void)[] = []
  const replace = (target: object, name: string, value: unknown): void => {
    const before: unknown = Reflect.get(target, name)
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
    undo.push(() => Object.defineProperty(target, name, { value: before, configurable: true, writable: true }))
  }
  const RealDate = Date
  class TrappedDate extends RealDate {
    constructor(...parts: [] | [number | string]) {
      if (parts.length === 0) refuse('new Date')()
      super(parts[0] ?? 0)
    }
    static override now = refuse('Date.now')
  }
  replace(globalThis, 'Date', TrappedDate)
  replace(Math, 'random', refuse('Math.random'))
  replace(performance, 'now', refuse('performance.now'))
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'fetch'] as const)
    replace(globalThis, name, refuse(name))
  for (const name of ['randomUUID', 'getRandomValues'] as const) replace(crypto, name, refuse(`crypto.${name}`))
  replace(AbortSignal, 'timeout', refuse('AbortSignal.timeout'))
  return {
    caught,
    open: () => {
      for (const restore of undo.toReversed()) restore()
    },
  }
}
