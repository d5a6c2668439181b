/**
 * Runs one command: finds it, reads its options, prints what it answers (as JSON with `--json`) and returns its exit
 * code. Errors become one sentence here, and nowhere else.
 */
import { parseArgs } from 'node:util'

import { ConfigError } from '../config.ts'
import { WrongUse } from './command.ts'
import type { Command, CommandCall, ExitCode } from './command.ts'
import { commands } from './commands.ts'
import { toSentence } from './sentence.ts'

export type Surroundings = {
  readonly env: CommandCall['env']
  /** Standard output and standard error; each text is whole lines. */
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

const program = 'duologue'
const help = { type: 'boolean', short: 'h' } as const
const json = { type: 'boolean' } as const

/** The exit code: 0 good, 1 a bad outcome, 2 wrong use or settings; null when the command goes on running. */
export async function runCommandLine(args: readonly string[], around: Surroundings): Promise<ExitCode | null> {
  const [name, ...rest] = args
  if (name === undefined) return tell(around.err, describeCommands(), 2)
  if (name === 'help' || name === '--help' || name === '-h') return tell(around.out, describeCommands(), 0)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  try {
    if (command === undefined) {
      throw new WrongUse(`there is no command ${name}; there are ${Object.keys(commands).join(', ')}`)
    }
    return await run(command, rest, around)
  } catch (error) {
    return fail(error, rest.includes('--json'), around)
  }
}

async function run(command: Command, args: readonly string[], { env, out }: Surroundings): Promise<ExitCode | null> {
  const call = readCall(command, args, env)
  if (call.options['help'] === true) return tell(out, describeCommand(command), 0)
  const result = await command.run(call)
  if (result === null) return null
  const text = call.options['json'] === true ? JSON.stringify(result.value, null, 2) : result.text
  return tell(out, text, result.exitCode)
}

function readCall(command: Command, args: readonly string[], env: CommandCall['env']): CommandCall {
  try {
    const options = { ...command.options, help, json }
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { words: positionals, options: values, env }
  } catch (error) {
    const [sentence] = toSentence(error).split('. ')
    throw new WrongUse(sentence, { cause: error })
  }
}

function fail(error: unknown, asJson: boolean, { out, err }: Surroundings): ExitCode {
  const isWrongUse = error instanceof WrongUse || error instanceof ConfigError
  const sentence = isWrongUse ? error.message : toSentence(error)
  const exitCode = isWrongUse ? 2 : 1
  if (asJson) return tell(out, JSON.stringify({ error: sentence }, null, 2), exitCode)
  return tell(err, `${program}: ${sentence}`, exitCode)
}

function tell(write: (text: string) => void, text: string, exitCode: ExitCode): ExitCode {
  write(`${text}\n`)
  return exitCode
}

function describeCommands(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    `usage: ${program} <command> [--json] [--help]`,
    '',
    ...lines,
    '',
    'Settings come from the environment; .env.example lists them all.',
    'Exit codes: 0 good, 1 a bad outcome, 2 wrong use or settings.',
  ].join('\n')
}

function describeCommand({ summary, usage, notes }: Command): string {
  const forms = usage.map((form, index) => `${index === 0 ? 'usage: ' : '       '}${program} ${form} [--json]`)
  return [...forms, '', `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...notes].join('\n')
}
