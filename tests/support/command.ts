/** The command line in this process, with an environment of its own and nothing of ours. */
import { runCommandLine } from '../../src/commands/command-line.ts'

export type CommandRun = { readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }

export async function runCommand(
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): Promise<CommandRun> {
  const output = { stdout: '', stderr: '' }
  const exitCode = await runCommandLine(args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    out: (text) => (output.stdout += text),
    err: (text) => (output.stderr += text),
  })
  return { exitCode, ...output }
}

export type DoctorReport = {
  readonly outcome: 'ok' | 'warn' | 'bad'
  readonly items: readonly {
    readonly check: string
    readonly state: string
    readonly text: string
    readonly advice: string | null
  }[]
}

/** What the doctor says, with its exit code; `of(check)` are the lines of one check. */
export async function runDoctor(env: { readonly [name: string]: string }) {
  const { exitCode, stdout } = await runCommand(['doctor', '--json'], env)
  const report = JSON.parse(stdout) as DoctorReport
  const of = (check: string): string[] =>
    report.items.filter((item) => item.check === check).map(({ state, text }) => `${state}: ${text}`)
  return { exitCode, report, stdout, of }
}
