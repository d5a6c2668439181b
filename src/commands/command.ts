/**
 * What a command of the command line is: its words for `--help`, its options, and one function that answers a value
 * for programs and a text for people. Printing and exit codes are src/cli.ts's alone.
 */
import type { ParseArgsOptionsConfig } from 'node:util'

export type CommandCall = {
  /** What stands behind the command's name, without options. */
  readonly words: readonly string[]
  readonly options: { readonly [name: string]: string | boolean | undefined }
  readonly env: { readonly [name: string]: string | undefined }
}

/** 0: good. 1: it ran, and the outcome is bad. 2: wrong use or settings. */
export type ExitCode = 0 | 1 | 2

export type CommandResult = {
  readonly exitCode: ExitCode
  /** What `--json` prints. */
  readonly value: object
  /** What a person reads. */
  readonly text: string
}

export type Command = {
  readonly summary: string
  /** Each form of the call, without `duologue`. */
  readonly usage: readonly string[]
  /** What a reader has to know besides; lines. */
  readonly notes: readonly string[]
  /** Besides `--help` and `--json`, which every command has. */
  readonly options: ParseArgsOptionsConfig
  /** Null: it goes on running by itself. */
  run(call: CommandCall): Promise<CommandResult | null>
}

/** The command was called wrongly; the message says what is right. */
export class WrongUse extends Error {}
