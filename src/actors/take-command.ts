/**
 * A command of an operator or a program (DESIGN D10): judged on the newest state, told to the chart, and its
 * outcome written as a row of the same commit, whatever it is.
 */
import type { JsonObject } from '../machines/json.ts'
import type { CommandRecord, LoggedCommand } from './ports.ts'
import { readRefusal } from './step.ts'
import { bringUpToDate, tellChart } from './take-step.ts'
import type { Work } from './take-step.ts'

type Judgement = Pick<CommandRecord, 'outcome' | 'reason'>

/** Asks for nothing but that the conversation goes on by the newest chart: a migration map has named its state. */
export const wokenType = 'machine.woken'

const applied: Judgement = { outcome: 'applied', reason: null }

export function receiveCommand(work: Work, command: LoggedCommand, at: number): void {
  const { commandId, conversationId } = command
  const { conversation } = work.state
  if (conversation?.conversationId !== conversationId) {
    const reason = 'the session has another conversation by now'
    work.fold.commands.push({ commandId, conversationId, outcome: 'refused', reason, status: null, version: null, at })
    return
  }
  const judgement = judge(work, command, at)
  const { status, version } = work.state.conversation ?? conversation
  work.fold.commands.push({ commandId, conversationId, ...judgement, status, version, at })
}

function judge(work: Work, { commandId, seenVersion, event }: LoggedCommand, at: number): Judgement {
  const registration = bringUpToDate(work, at)
  const { conversation } = work.state
  if (conversation === null || registration === null) return refuse('the session has no conversation')
  if (event['type'] === wokenType) return applied
  const { version, notableVersion } = conversation
  if (seenVersion !== null && (seenVersion < notableVersion || seenVersion > version)) {
    return { outcome: 'stale', reason: `version ${seenVersion} was seen, the conversation has version ${version}` }
  }
  const read = registration.readCommand(event)
  if (typeof read === 'string') return refuse(read)
  if (tellChart(work, { ...read, at }, at, `command:${commandId}`, toInitiator(read))) return applied
  return refuse(readRefusal(registration, conversation.snapshot, read))
}

function refuse(reason: string): Judgement {
  return { outcome: 'refused', reason }
}

function toInitiator({ operatorId }: JsonObject): string {
  return typeof operatorId === 'string' ? `operator:${operatorId}` : 'system'
}
