/** What the webhook's resolver remembers, waits for and does without. */
import { describe, expect, test } from 'vitest'
import type { Home, IdentityAsk, IdentityStore } from '../../../src/actors/identity-store.ts'
import type { LoggedMessage, Telemetry } from '../../../src/actors/ports.ts'
import { createIdentityResolver } from '../../../src/infra/identity/identity-resolver.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const businessAddress = 'whatsapp:+14155238886'
const phone = 'whatsapp:+15005550006'
const bsuid = 'whatsapp:US.1'

const telemetry: Telemetry = { count: () => {}, observe: () => {}, gauge: () => {}, log: () => {} }

function message(userKeys: readonly string[]): LoggedMessage {
  const [userKey = ''] = userKeys
  return {
    v: 1,
    type: 'message.received',
    businessAddress,
    userKey,
    ...(userKeys.length > 1 && { identities: userKeys }),
    replyAddress: userKey,
    providerId: 'SM1',
    body: 'hi',
    media: [],
    profileName: null,
    receivedAt: 1,
    raw: {},
  }
}

/** A store of rows by key, which may be silent, hold its keys, or answer late. */
function createWorld(isAlone = false) {
  const clock = createVirtualClock()
  const homes = new Map<string, string>()
  const world = {
    clock,
    homes,
    generation: 1,
    isSilent: false,
    isHeld: false,
    asks: 0,
    gate: null as Promise<void> | null,
    move(key: string, home: string) {
      homes.set(key, home)
      world.generation += 1
    },
  }
  const toHome = ({ userKeys, claims }: IdentityAsk): Home => {
    const known = userKeys.flatMap((key) => homes.get(key) ?? [])
    const home = known[0] ?? userKeys[0] ?? ''
    if (claims) for (const key of userKeys) if (!homes.has(key)) homes.set(key, home)
    return { home, isHeld: world.isHeld, isSplit: new Set(known).size > 1 }
  }
  const store: IdentityStore = {
    async resolveIdentities(asks) {
      world.asks += 1
      if (world.isSilent) throw new Error('silent')
      const answer = { generation: world.generation, homes: asks.map(toHome) }
      await world.gate
      return answer
    },
    async identityGeneration() {
      if (world.isSilent) throw new Error('silent')
      return world.generation
    },
  }
  // What only lets a few questions gather takes no time here.
  const gatherMsMax = 10
  const schedule = (delayMs: number, task: () => void) => {
    if (delayMs > gatherMsMax) return clock.schedule(delayMs, task)
    const handle = setImmediate(task)
    return () => clearImmediate(handle)
  }
  const resolver = createIdentityResolver({ store, clock: { ...clock, schedule }, telemetry, isAlone })
  return { world, resolver }
}

describe('a resolver', () => {
  test('names the keys of an event only where they say more than the session does', async () => {
    const { resolver } = createWorld()
    const first = await resolver.resolve(message([phone, bsuid]))
    expect(first).toMatchObject({ userKey: phone })
    expect(first).not.toHaveProperty('identities')
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: phone, identities: [bsuid] })
    resolver.stop()
  })

  test('asks once for what it knows, and again when a link has changed, within a second', async () => {
    const { world, resolver } = createWorld()
    for (let index = 0; index < 5; index += 1) await resolver.resolve(message([phone, bsuid]))
    expect(world.asks).toBe(1)
    world.move(bsuid, 'whatsapp:+19')
    await world.clock.advance(1_000)
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: 'whatsapp:+19' })
    resolver.stop()
  })

  test('does not remember an answer that is older than what it has learned since', async () => {
    const { world, resolver } = createWorld()
    await resolver.resolve(message([phone, bsuid]))
    await world.clock.advance(1_000)
    const gate = Promise.withResolvers<void>()
    world.gate = gate.promise
    const late = resolver.resolve(message(['whatsapp:US.2']))
    await world.clock.advance(0)
    world.move('whatsapp:US.2', phone)
    await resolver.refresh()
    gate.resolve()
    world.gate = null
    await late
    expect(await resolver.resolve(message(['whatsapp:US.2']))).toMatchObject({ userKey: phone })
    resolver.stop()
  })

  test('waits while the keys are held, and follows them where they went', async () => {
    const { world, resolver } = createWorld()
    world.isHeld = true
    let resolved: LoggedMessage | null = null
    const waiting = resolver.resolve(message([bsuid])).then((event) => (resolved = event))
    await world.clock.advance(2_000)
    expect(resolved).toBeNull()
    world.move(bsuid, phone)
    world.isHeld = false
    await world.clock.advance(200)
    await waiting
    expect(resolved).toMatchObject({ userKey: phone, identities: [bsuid] })
    resolver.stop()
  })

  test('gives up on keys that are held for longer than a webhook may take', async () => {
    const { world, resolver } = createWorld()
    world.isHeld = true
    const waiting = resolver.resolve(message([bsuid])).catch((error: unknown) => String(error))
    await world.clock.advance(9_000)
    expect(await waiting).toMatch(/being moved/u)
    resolver.stop()
  })

  test('does not wait for a silent store: it goes on as it last knew, and says so', async () => {
    const { world, resolver } = createWorld()
    await resolver.resolve(message([phone, bsuid]))
    world.isSilent = true
    await world.clock.advance(1_500)
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: phone })
    const stranger = await resolver.resolve(message(['whatsapp:+16', 'whatsapp:US.6']))
    expect(stranger).toMatchObject({
      userKey: 'whatsapp:+16',
      unresolved: true,
      identities: ['whatsapp:+16', 'whatsapp:US.6'],
    })
    // The same process has met them together.
    const alone = await resolver.resolve(message(['whatsapp:US.6']))
    expect(alone).toMatchObject({ userKey: 'whatsapp:+16', unresolved: true })
    resolver.stop()
  })

  test('forgets what it made up while the store was silent', async () => {
    const { world, resolver } = createWorld()
    world.isSilent = true
    await resolver.resolve(message([phone, bsuid]))
    world.isSilent = false
    world.homes.set(bsuid, 'whatsapp:+19')
    await world.clock.advance(3_000)
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: 'whatsapp:+19' })
    resolver.stop()
  })

  test('that is alone learns of its own links when it is told, and asks nobody meanwhile', async () => {
    const { world, resolver } = createWorld(true)
    await resolver.resolve(message([phone, bsuid]))
    await world.clock.advance(60_000)
    world.move(bsuid, 'whatsapp:+19')
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: phone })
    await resolver.refresh()
    expect(await resolver.resolve(message([bsuid]))).toMatchObject({ userKey: 'whatsapp:+19' })
    resolver.stop()
  })
})
