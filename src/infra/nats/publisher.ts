/** Publishes events to the log (`EventPublisher`): resolved means stored, on disk. */
import { jetstream, JetStreamApiError } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'

import { toKind, toPublicationId } from '../../actors/logged-event.ts'
import type { EventPublisher, LoggedEvent } from '../../actors/ports.ts'
import { toSessionKey } from '../../actors/session-key.ts'
import { toPublishedSubject } from './subjects.ts'

/** Its twin is being stored at this moment and may yet fail: asked again, it is a duplicate or it is stored. */
const twinInProcess = 10_158
const twinRetryMs = 20
const twinAttemptsMax = 20

/** `timeoutMs`: how long the log may take to acknowledge. */
export function createEventPublisher(connection: NatsConnection, timeoutMs: number): EventPublisher {
  const client = jetstream(connection, { timeout: timeoutMs })

  return {
    async publish(event: LoggedEvent): Promise<{ sequence: number; duplicate: boolean }> {
      const subject = toPublishedSubject(toKind(event), toSessionKey(event.businessAddress, event.userKey))
      const payload = JSON.stringify(event)
      const options = { msgID: toPublicationId(event), retries: 0, timeout: timeoutMs }
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { seq, duplicate } = await client.publish(subject, payload, options)
          return { sequence: seq, duplicate }
        } catch (error) {
          const isTwin = error instanceof JetStreamApiError && error.code === twinInProcess
          if (!isTwin || attempt >= twinAttemptsMax) {
            throw new Error(`the log did not acknowledge ${options.msgID.split(':')[0] ?? 'an event'}`, { cause: error })
          }
          await new Promise((resolve) => {
            setTimeout(resolve, twinRetryMs)
          })
        }
      }
    },
  }
}
