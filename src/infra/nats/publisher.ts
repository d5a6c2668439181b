/**
 * Publishes events to the log (`EventPublisher`): resolved means stored, on disk.
 *
 * What was written to a connection that broke is lost without a word, so a publication that is not
 * acknowledged for a while is sent again under the same id. Should the log store it twice after all, the
 * database keeps one.
 */
import type { NatsConnection } from '@nats-io/transport-node'

import { toKind, toPublicationId } from '../../actors/logged-event.ts'
import type { EventPublisher, LoggedEvent } from '../../actors/ports.ts'
import { toSessionKey } from '../../actors/session-key.ts'
import { openAcknowledgements } from './acknowledgements.ts'
import { toPublishedSubject } from './subjects.ts'

const attemptMs = 1_000
const pauseMs = 20
/** Its twin is being stored at this moment and may yet fail: asked again, it is a duplicate or it is stored. */
const twinInProcess = 10_158

/** `timeoutMs`: how long the log may take to acknowledge, all attempts together. */
export function createEventPublisher(
  connection: NatsConnection,
  timeoutMs: number,
  inboxPrefix: string | null = null,
): EventPublisher {
  const acknowledgements = openAcknowledgements(connection, inboxPrefix)

  return {
    async publish(event: LoggedEvent): Promise<{ sequence: number; duplicate: boolean }> {
      const subject = toPublishedSubject(toKind(event), toSessionKey(event.businessAddress, event.userKey))
      const payload = JSON.stringify(event)
      const id = toPublicationId(event)
      const giveUpAt = performance.now() + timeoutMs
      for (let mayJoin = true; ; mayJoin = false) {
        const attemptWithinMs = Math.max(1, Math.min(attemptMs, giveUpAt - performance.now()))
        const answer = await acknowledgements.publish({ subject, payload, id, timeoutMs: attemptWithinMs, mayJoin })
        if (answer.kind === 'stored') return answer
        const mayPass = answer.kind === 'silence' || answer.code === twinInProcess
        if (!mayPass || performance.now() + pauseMs >= giveUpAt) {
          const reason = answer.kind === 'silence' ? answer.reason : `${answer.code} ${answer.description}`
          throw new Error(`the log did not acknowledge a ${event.type}: ${reason}`)
        }
        await new Promise((resolve) => {
          setTimeout(resolve, pauseMs)
        })
      }
    },
  }
}
