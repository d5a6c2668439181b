/**
 * A TCP link that can fail. It listens on one port of loopback and passes every connection on to one of its targets:
 * with one target it is a link between two programs, with several it is a load balancer that takes them in turn and
 * leaves out those that refuse.
 *
 *   cut          every connection ends, new ones are refused
 *   black-hole   connections stand, and nothing comes through in either direction
 *   delay        everything takes longer, ms each way
 *   loseAnswers  the next requests that contain a text go through, and instead of their answer the connection ends
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

export type TcpProxy = {
  readonly port: number
  /** The targets' ports, from now on. */
  route(targets: readonly number[]): void
  cut(): void
  blackHole(): void
  delay(ms: number): void
  loseAnswers(text: string, count: number): void
  /** Every fault ends; connections that stood in a black hole are gone. */
  heal(): void
  /** How many answers were lost so far. */
  lost(): number
  close(): Promise<void>
}

type Link = { readonly client: Socket; readonly server: Socket }

export async function openTcpProxy(initialTargets: readonly number[] = []): Promise<TcpProxy> {
  let targets = initialTargets
  let mode: 'open' | 'cut' | 'black-hole' = 'open'
  let delayMs = 0
  let losing = { text: '', count: 0 }
  let lostCount = 0
  let turn = 0
  const links = new Set<Link>()
  const stuck = new Set<Socket>()

  function end({ client, server }: Link): void {
    client.destroy()
    server.destroy()
  }
  function endAll(): void {
    for (const link of links) end(link)
    for (const socket of stuck) socket.destroy()
    links.clear()
    stuck.clear()
  }
  function pass(to: Socket, chunk: Buffer): void {
    if (mode !== 'open') return
    if (delayMs === 0) to.write(chunk)
    else setTimeout(() => to.write(chunk), delayMs)
  }
  function join(link: Link): void {
    const { client, server } = link
    let isLosing = false
    links.add(link)
    client.on('data', (chunk) => {
      if (losing.count > 0 && chunk.includes(losing.text)) {
        losing.count -= 1
        isLosing = true
      }
      pass(server, chunk)
    })
    server.on('data', (chunk) => {
      if (!isLosing) return pass(client, chunk)
      lostCount += 1
      end(link)
    })
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        links.delete(link)
        end(link)
      })
    }
  }
  function dial(client: Socket, left: number): void {
    const target = targets[turn % Math.max(1, targets.length)]
    turn += 1
    if (target === undefined || left === 0) {
      client.destroy()
      return
    }
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    server.once('error', () => dial(client, left - 1))
    server.once('connect', () => {
      server.removeAllListeners('error')
      if (mode === 'cut') {
        end({ client, server })
        return
      }
      join({ client, server })
      client.resume()
    })
  }

  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (client) => {
    client.on('error', () => {})
    if (mode === 'cut') client.destroy()
    else if (mode === 'black-hole') {
      stuck.add(client)
      client.resume()
    } else dial(client, targets.length)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('could not open a proxy')
  return {
    port: address.port,
    route: (wanted) => (targets = wanted),
    cut() {
      mode = 'cut'
      endAll()
    },
    blackHole: () => (mode = 'black-hole'),
    delay: (ms) => (delayMs = ms),
    loseAnswers: (text, count) => (losing = { text, count }),
    heal() {
      if (mode === 'black-hole') endAll()
      mode = 'open'
      delayMs = 0
      losing = { text: '', count: 0 }
    },
    lost: () => lostCount,
    async close() {
      mode = 'cut'
      endAll()
      listener.close()
      await once(listener, 'close')
    },
  }
}
