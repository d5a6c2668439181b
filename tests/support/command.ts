/** A command of the command line as a process of its own, with nothing of this environment but the way to programs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '../../bin/duologue.js')

export type CommandRun = { readonly exitCode: number; readonly stdout: string; readonly stderr: string }

export async function runCommand(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<CommandRun> {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { exitCode: code ?? -1, ...output }
}

export type DoctorReport = {
  readonly outcome: 'ok' | 'warn' | 'bad'
  readonly items: readonly { readonly check: string; readonly state: string; readonly text: string; readonly advice: string | null }[]
}

/** What the doctor says, with its exit code; `of(check)` are the lines of one check. */
export async function runDoctor(env: { readonly [name: string]: string }) {
  const { exitCode, stdout } = await runCommand(['doctor', '--json'], env)
  const report = JSON.parse(stdout) as DoctorReport
  const of = (check: string): string[] =>
    report.items.filter((item) => item.check === check).map(({ state, text }) => `${state}: ${text}`)
  return { exitCode, report, stdout, of }
}
