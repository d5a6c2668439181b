/**
 * Wakes whoever waits for the outcome of a command (DESIGN D10), over core NATS: the owner tells the command's id
 * after its commit. A wake that is lost costs a moment and nothing else, since the outcome is a row.
 */
import type { NatsConnection } from '@nats-io/transport-node'

import { toToken } from '../../actors/session-key.ts'

export type CommandWakes = {
  settled(commandId: string): void
  /** Calls back at the wake, once; the returned function stops listening. */
  listen(commandId: string, onSettled: () => void): () => void
}

const prefix = 'duologue.settled.'

export function openCommandWakes(connection: NatsConnection): CommandWakes {
  const listeners = new Map<string, Set<() => void>>()
  connection.subscribe(`${prefix}*`, {
    callback: (error, message) => {
      if (error !== null) return
      for (const listener of listeners.get(message.subject.slice(prefix.length)) ?? []) listener()
    },
  })
  return {
    settled(commandId) {
      if (!connection.isClosed()) connection.publish(`${prefix}${toToken(commandId)}`)
    },
    listen(commandId, onSettled) {
      const token = toToken(commandId)
      const waiting = listeners.get(token) ?? new Set()
      listeners.set(token, waiting.add(onSettled))
      return () => {
        waiting.delete(onSettled)
        if (waiting.size === 0) listeners.delete(token)
      }
    },
  }
}
