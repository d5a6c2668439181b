/**
 * Live counts as server-sent events: what a page that stays open sees. The database is looked at twice a second while
 * anybody watches, once for all who watch the same, and told only when something is another number. No actor is asked.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { Clock } from '../../actors/ports.ts'
import type { LiveAnswer } from '../../charts/live/live-answer.ts'
import type { Operation } from './openapi.ts'
import { HttpProblem } from './problem.ts'

export type LiveLook = { readonly key: string; readonly read: () => Promise<LiveAnswer> }

export type LiveStreamOptions = {
  readonly operation: Operation
  readonly clock: Pick<Clock, 'schedule'>
  /** What a request wants to watch; equal wishes have equal keys. Throws when it is none. */
  readonly look: (request: FastifyRequest) => LiveLook
}

const streamsMax = 64
const everyMs = 500
const heartbeatLooks = 30

type Watcher = (frame: string) => void
type Watched = { readonly watchers: Set<Watcher>; last: string | null; frame: string | null; cancel: () => void }

export function registerLiveStream(app: FastifyInstance, { operation, clock, look }: LiveStreamOptions): void {
  const open = new Set<FastifyReply>()
  const watched = new Map<string, Watched>()
  app.addHook('preClose', async () => {
    for (const reply of open) reply.raw.end()
    for (const one of watched.values()) one.cancel()
  })
  app.get('/api/charts/:chart/live/stream', { config: { operation } }, (request, reply) => {
    if (open.size >= streamsMax) throw new HttpProblem(503, 'too many pages are open')
    const wanted = look(request)
    open.add(reply)
    reply.hijack()
    const headers = reply.getHeaders() as { [name: string]: string }
    reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const leave = watch(watched, clock, wanted, (frame) => void reply.raw.write(frame))
    reply.raw.on('close', () => {
      open.delete(reply)
      leave()
    })
    return reply
  })
}

function watch(all: Map<string, Watched>, clock: LiveStreamOptions['clock'], wanted: LiveLook, watcher: Watcher) {
  const { key } = wanted
  const known = all.get(key)
  const one = known ?? { watchers: new Set<Watcher>(), last: null, frame: null, cancel: () => {} }
  one.watchers.add(watcher)
  if (known === undefined) {
    all.set(key, one)
    void keepLooking(all, clock, wanted, one)
  } else if (one.frame !== null) watcher(one.frame)
  return () => {
    one.watchers.delete(watcher)
    if (one.watchers.size > 0) return
    one.cancel()
    if (all.get(key) === one) all.delete(key)
  }
}

async function keepLooking(
  all: ReadonlyMap<string, Watched>,
  clock: LiveStreamOptions['clock'],
  { key, read }: LiveLook,
  one: Watched,
): Promise<void> {
  let looks = 0
  const tell = (frame: string): void => {
    for (const watcher of one.watchers) watcher(frame)
  }
  const once = async (): Promise<void> => {
    try {
      const answer = await read()
      // Two moments at which the same is true are the same to a reader.
      const said = JSON.stringify({ ...answer, at: null, snapshotId: null })
      if (said !== one.last) {
        one.last = said
        one.frame = toFrame('live', answer)
        tell(one.frame)
      } else if ((looks += 1) % heartbeatLooks === 0) tell(toFrame('heartbeat', null))
    } catch {
      // The next look asks again, and what it finds is told though it is the same as before.
      one.last = null
      tell(toFrame('silence', null))
    }
    if (all.get(key) === one && one.watchers.size > 0) one.cancel = clock.schedule(everyMs, () => void once())
  }
  await once()
}

function toFrame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
