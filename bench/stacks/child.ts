/**
 * A program that the benchmark runs: it is ready when it prints the awaited line, and ends with the
 * benchmark, whatever becomes of that.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export type Child = {
  readonly pid: number
  /** What the awaited line captured. */
  readonly ready: readonly string[]
  /** The end of what it printed. */
  output(): string
  /** SIGTERM, and after ten seconds SIGKILL. */
  stop(): Promise<void>
}

export type ChildOptions = {
  readonly name: string
  readonly program: string
  readonly parameters: readonly string[]
  readonly env?: { readonly [name: string]: string }
  readonly folder?: string
  /** Matched against everything printed so far; null: ready at once. */
  readonly readyPattern: RegExp | null
}

const readyWithinMs = 30_000
const stopWithinMs = 10_000
const outputCharactersMax = 20_000

export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, program, parameters, env = {}, folder, readyPattern } = options
  const child = spawn(program, parameters, {
    ...(folder !== undefined && { cwd: folder }),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    // Its standard input ends with this process: a program that watches it ends too.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const gone = once(child, 'exit').finally(() => process.off('exit', killWithUs))
  gone.catch(() => {})
  const ready = Promise.withResolvers<readonly string[]>()
  let output = ''
  const keep = (text: string): void => {
    output = (output + text).slice(-outputCharactersMax)
    const match = readyPattern?.exec(output)
    if (match) ready.resolve(match)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  child.once('error', ready.reject)
  child.once('exit', () => ready.reject(new Error(`${name} ended:\n${output}`)))
  const timer = setTimeout(() => ready.reject(new Error(`${name} is not ready:\n${output}`)), readyWithinMs)
  if (readyPattern === null) ready.resolve([])
  const stop = async (): Promise<void> => {
    child.stdin.end()
    child.kill('SIGTERM')
    const killTimer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await gone.catch(() => {})
    clearTimeout(killTimer)
  }
  try {
    const match = await ready.promise
    return { pid: child.pid ?? 0, ready: match, output: () => output, stop }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for a condition, asking every few milliseconds, at most `withinMs`. */
export async function until(
  isTrue: () => Promise<boolean>,
  { withinMs, everyMs = 20, sentence }: { withinMs: number; everyMs?: number; sentence: () => string },
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(sentence())
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs)
    })
  }
}
