/**
 * What is measured: a webhook that takes signed messages, the processes behind it, and a database that
 * is read without them. A stack lives for one run, on a new database, so that no run inherits another's rows.
 */
import type { Part } from '../measure/processes.ts'

export type StackName = 'duologue' | 'row-lock'

/** One message as the database has it. */
export type StoredMessage = {
  readonly providerId: string
  readonly user: string
  /** The life of the conversation that it is a step of: ids sort by the moment of opening. */
  readonly conversationId: string | null
  /** Of the step that took it; null when no step did. */
  readonly version: number | null
}

export type StoredConversation = {
  readonly conversationId: string
  readonly version: number
  readonly steps: number
  readonly firstStep: number | null
  readonly lastStep: number | null
}

export interface Stack {
  readonly name: StackName
  readonly webhookUrl: string
  /** Its own processes, with the database's. */
  readonly parts: readonly Part[]
  /** Rows of one statement, on a direct connection to its database. */
  sql<Row extends object>(statement: string, parameters?: readonly (string | number)[]): Promise<readonly Row[]>
  countStored(userPrefix: string): Promise<number>
  /** In the order of the steps. */
  readMessages(userPrefix: string): Promise<readonly StoredMessage[]>
  readConversations(userPrefix: string): Promise<readonly StoredConversation[]>
  /** Resolves when what the warm-up started has ended. */
  settle(): Promise<void>
  /** From here on a message is one step and one record, as in the baseline: nobody's turn ends during the load. */
  holdAnswers(): Promise<void>
  /** What the messages of these users led to so far, for the report. */
  describeWork(userPrefix: string): Promise<{ readonly [what: string]: number }>
  stop(): Promise<void>
}
