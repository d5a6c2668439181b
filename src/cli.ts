/**
 * The command line: `npm run duologue -- <command>`. It finds the command, reads the options, prints what the command
 * answers (as JSON with `--json`) and ends with its exit code: 0 good, 1 a bad outcome, 2 wrong use or settings.
 */
import { parseArgs } from 'node:util'

import { WrongUse } from './commands/command.ts'
import type { Command, CommandCall, ExitCode } from './commands/command.ts'
import { commands } from './commands/commands.ts'
import { toSentence } from './commands/sentence.ts'
import { ConfigError } from './config.ts'

const program = 'duologue'
const help = { type: 'boolean', short: 'h' } as const
const json = { type: 'boolean' } as const

/** The exit code; null when the command goes on running. */
async function main(args: readonly string[]): Promise<ExitCode | null> {
  const [name, ...rest] = args
  if (name === undefined) return tell(process.stderr, describeCommands(), 2)
  if (name === 'help' || name === '--help' || name === '-h') return tell(process.stdout, describeCommands(), 0)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  try {
    if (command === undefined) {
      throw new WrongUse(`there is no command ${name}; there are ${Object.keys(commands).join(', ')}`)
    }
    return await run(command, rest)
  } catch (error) {
    return fail(error, rest.includes('--json'))
  }
}

async function run(command: Command, args: readonly string[]): Promise<ExitCode | null> {
  const call = readCall(command, args)
  if (call.options['help'] === true) return tell(process.stdout, describeCommand(command), 0)
  const result = await command.run(call)
  if (result === null) return null
  const text = call.options['json'] === true ? JSON.stringify(result.value, null, 2) : result.text
  return tell(process.stdout, text, result.exitCode)
}

function readCall(command: Command, args: readonly string[]): CommandCall {
  try {
    const options = { ...command.options, help, json }
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { words: positionals, options: values as CommandCall['options'], env: process.env }
  } catch (error) {
    const [sentence] = toSentence(error).split('. ')
    throw new WrongUse(sentence, { cause: error })
  }
}

function fail(error: unknown, asJson: boolean): ExitCode {
  const isWrongUse = error instanceof WrongUse || error instanceof ConfigError
  const sentence = isWrongUse ? error.message : toSentence(error)
  const exitCode = isWrongUse ? 2 : 1
  if (asJson) return tell(process.stdout, JSON.stringify({ error: sentence }, null, 2), exitCode)
  return tell(process.stderr, `${program}: ${sentence}`, exitCode)
}

function tell(stream: NodeJS.WriteStream, text: string, exitCode: ExitCode): ExitCode {
  stream.write(`${text}\n`)
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

const exitCode = await main(process.argv.slice(2))
if (exitCode !== null) process.exitCode = exitCode
