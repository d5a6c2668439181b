/**
 * Publishes events to the log (`EventPublisher`): resolved means stored, on disk.
 *
 * What was written to a connection that broke is lost without a word, so a publication that is not
 * acknowledged for a while is sent again under the same id, which the log stores once.
 */
import { jetstream, JetStreamApiError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'

import { toKind, toPublicationId } from '../../actors/logged-event.ts'
import type { EventPublisher, LoggedEvent } from '../../actors/ports.ts'
import { toSessionKey } from '../../actors/session-key.ts'
import { toPublishedSubject } from './subjects.ts'

const attemptMs = 1_000
const pauseMs = 20
/** Its twin is being stored at this moment and may yet fail: asked again, it is a duplicate or it is stored. */
const twinInProcess = 10_158

/** `timeoutMs`: how long the log may take to acknowledge, all attempts together. */
export function createEventPublisher(connection: NatsConnection, timeoutMs: number): EventPublisher {
  const client = jetstream(connection)

  return {
    async publish(event: LoggedEvent): Promise<{ sequence: number; duplicate: boolean }> {
      const subject = toPublishedSubject(toKind(event), toSessionKey(event.businessAddress, event.userKey))
      const payload = JSON.stringify(event)
      const msgID = toPublicationId(event)
      const giveUpAt = performance.now() + timeoutMs
      for (;;) {
        try {
          const timeout = Math.max(1, Math.min(attemptMs, giveUpAt - performance.now()))
          const { seq, duplicate } = await client.publish(subject, payload, { msgID, retries: 0, timeout })
          return { sequence: seq, duplicate }
        } catch (error) {
          if (!mayPass(error) || performance.now() + pauseMs >= giveUpAt) {
            throw new Error(`the log did not acknowledge a ${event.type}`, { cause: error })
          }
        }
        await new Promise((resolve) => {
          setTimeout(resolve, pauseMs)
        })
      }
    },
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === twinInProcess
  return (
    error instanceof errors.TimeoutError ||
    // JetStream itself is not up yet: the client wraps this one.
    (error instanceof Error && error.cause instanceof errors.NoRespondersError)
  )
}
