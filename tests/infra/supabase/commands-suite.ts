/** Outcomes of commands are rows of the commit that passes their position; a command is applied once. */
import { describe, expect, test } from 'vitest'
import {
  batchOf,
  claimAll,
  commandOf,
  commitOf,
  conversationSteps,
  newEffect,
  newSession,
  nextStep,
  opening,
  outbound,
} from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeCommands(database: () => DatabaseInUse): void {
  const start = async () => {
    const owned = await claimAll(database(), 'a')
    const session = newSession(database().deployment)
    await database().store.commitSteps(batchOf('a', owned, [opening(session, 1)]))
    return { owned, session }
  }

  describe('commands', () => {
    test.each(['applied', 'refused', 'stale'] as const)('an outcome that is %s is found by its id', async (outcome) => {
      const { store } = database()
      const { owned, session } = await start()
      const command = commandOf(session, outcome)
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { commands: [command] })]))
      expect(await store.getCommand(command.commandId)).toEqual({
        id: command.commandId,
        conversationId: session.conversationId,
        outcome,
        status: 'PENDING',
        version: 1,
        reason: command.reason,
        at: new Date(command.at).toISOString(),
      })
      expect(await store.getCommand('another')).toBeNull()
      expect(await store.getCommand(command.commandId, session.sessionId)).toBeNull()
    })

    test('one for a conversation that is no longer the current one tells that one’s status', async () => {
      const { store } = database()
      const { owned, session } = await start()
      const command = commandOf(session, 'refused', { status: null, version: null })
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { commands: [command] })]))
      expect(await store.getCommand(command.commandId)).toMatchObject({ status: 'PENDING', version: 1 })
    })

    test('a command that is stored already makes its whole session a duplicate, and no other', async () => {
      const { store, sql, deployment } = database()
      const { owned, session } = await start()
      const command = commandOf(session, 'applied')
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { commands: [command] })]))
      const again = nextStep(session, 1, 3, { commands: [command] })
      const other = newSession(deployment)
      const outcome = await store.commitSteps(batchOf('a', owned, [again, opening(other, 4)]))
      const key = `command:${command.commandId}`
      expect(outcome.sessions.get(session.sessionId)).toEqual({ kind: 'duplicate', duplicateKeys: [key] })
      expect(outcome.sessions.get(other.sessionId)).toEqual({ kind: 'committed' })
      expect((await store.getConversation(session.conversationId))?.version).toBe(1)
      const sessionKey = await sql('select session_key from duologue.sessions where id = $1', [session.sessionId])
      const request = {
        sessionKey: String(sessionKey[0]?.['session_key']),
        partition: 0,
        duplicateKeys: [key, 'command:x'],
      }
      const { knownKeys } = await store.loadSessions(owned, [request])
      expect(knownKeys).toEqual([`${request.sessionKey} ${key}`])
    })

    test('one id for two conversations of a batch is one command, and both sessions are written', async () => {
      const { store, deployment } = database()
      const { owned, session } = await start()
      const other = newSession(deployment)
      await store.commitSteps(batchOf('a', owned, [opening(other, 2)]))
      const command = commandOf(session, 'applied')
      const outcome = await store.commitSteps(
        batchOf('a', owned, [
          nextStep(session, 1, 3, { commands: [command] }),
          nextStep(other, 1, 4, { commands: [{ ...command, conversationId: other.conversationId }] }),
        ]),
      )
      expect([...outcome.sessions.values()]).toEqual([{ kind: 'committed' }, { kind: 'committed' }])
    })

    test('the notable version is kept with the conversation', async () => {
      const { store, sql } = database()
      const { owned, session } = await start()
      const conversations = [conversationSteps(session, 1, 'PENDING', ['PENDING', 'PENDING'], { notableVersion: 2 })]
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 2, { conversations })]))
      expect(await sql('select version, notable_version from duologue.conversations')).toEqual([
        { version: 3, notable_version: 2 },
      ])
    })
  })

  describe('what was never sent', () => {
    test.each(['failed', 'cancelled'] as const)('a send that is %s shows so, and is not remembered', async (status) => {
      const { store } = database()
      const { owned, session } = await start()
      const message = outbound(session)
      const effect = newEffect(session, 2, 0, { messageId: message.messageId })
      const step = nextStep(session, 1, 2, { messages: [message], effects: [effect] })
      await store.commitSteps(batchOf('a', owned, [step]))
      expect((await store.recentMessages(session.sessionId, 10)).map(({ messageId }) => messageId)).toContain(
        message.messageId,
      )
      const outcome = status === 'failed' ? { message: 'no', code: '21211' } : { reason: 'opted-out' }
      const update = { effectId: effect.effectId, status, attempts: 1, nextAttemptAt: null, outcome, providerId: null }
      await store.commitSteps(batchOf('a', owned, [commitOf(session, 3, { effectUpdates: [update] })]))
      const page = await store.listMessages(session.conversationId, {})
      expect(page?.items.find(({ id }) => id === message.messageId)).toMatchObject({
        deliveryStatus: status === 'failed' ? 'failed' : 'canceled',
        errorCode: status === 'failed' ? '21211' : 'opted-out',
      })
      const remembered = await store.recentMessages(session.sessionId, 10)
      expect(remembered.map(({ messageId }) => messageId)).not.toContain(message.messageId)
    })
  })
}
