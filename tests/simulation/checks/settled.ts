/** Whether anything is left to do; what is left is named. */
import { awaitsUser } from '../store/starting.ts'
import { isUnsettled } from '../store/tables.ts'
import type { World } from '../world/world.ts'

/** A timer that is due fires within this, ms; wall clocks may differ by as much again. */
const timerLatenessMs = 10_000

export function isSettled(world: World): boolean {
  return toUnsettled(world).length === 0
}

export function toUnsettled(world: World): string[] {
  const { tables, log, history, scheduler, scenario } = world
  const left: string[] = []
  if (world.underWay > 0) left.push(`${world.underWay} webhooks are under way`)
  const running = world.nodes.filter((made) => made?.hasStarted === true).length
  if (running < scenario.nodes) left.push(`${running} of ${scenario.nodes} nodes run`)
  for (const { partition, cursor, owner } of tables.partitions) {
    if (owner === null) left.push(`partition ${partition} has no owner`)
    if (cursor.sequence < log.lastSequence(partition)) left.push(`partition ${partition} stands at ${cursor.sequence}`)
  }
  for (const effect of tables.effects.values()) {
    if (!isUnsettled(effect)) continue
    // In quarantine no timer ends a draft that never comes.
    const isEndless = effect.kind === 'draftReply' && tables.sessions.get(effect.sessionId)?.isQuarantined === true
    const isHeld = effect.status === 'pending' && awaitsUser(tables, effect, scheduler.now)
    const isLeft = isEndless || isHeld || (effect.status === 'uncertain' && history.leftToPerson.has(effect.effectId))
    if (!isLeft) left.push(`effect ${effect.effectId} (${effect.kind}) is ${effect.status}`)
  }
  for (const { sessionId, conversationId, nextTimerAt, snapshot, closedAt } of tables.conversations.values()) {
    if (tables.sessions.get(sessionId)?.isQuarantined === true) continue
    if (nextTimerAt !== null && nextTimerAt < scheduler.now - timerLatenessMs)
      left.push(`a timer of ${conversationId} is overdue`)
    if (
      closedAt === null &&
      /"(?:collecting|answering)"/u.test(JSON.stringify((JSON.parse(snapshot) as { value: unknown }).value))
    ) {
      left.push(`conversation ${conversationId} is not answered`)
    }
  }
  return left
}
