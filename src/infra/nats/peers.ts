/**
 * Hints between the nodes of a deployment over core NATS (`Peers`): a node that released partitions says so, and
 * the others claim at once instead of at their next turn. A hint that is lost costs that wait and nothing else.
 */
import type { NatsConnection } from '@nats-io/transport-node'

import type { Peers } from '../../actors/ports.ts'

const subject = 'duologue.nodes.ownership'

export function openPeers(connection: NatsConnection): Peers {
  return {
    announce() {
      if (!connection.isClosed()) connection.publish(subject)
    },
    listen(task) {
      const subscription = connection.subscribe(subject, {
        callback: (error) => {
          if (error === null) task()
        },
      })
      return () => subscription.unsubscribe()
    },
  }
}
