/**
 * How many effects of one kind run at once, and whose turn it is. A place is given to the waiting tenant that has had
 * the least so far for its weight (`effectWeight` in its settings, 1 unless told), so a tenant with a long queue
 * delays another one by no more than a place; and no tenant has all places, so that slow effects of one leave room.
 */
import { limits } from './host.ts'

export type Tenant = { readonly tenantId: string; readonly weight: number }

type Queue = { readonly weight: number; readonly waiting: (() => void)[] }
type Kind = {
  inFlight: number
  readonly ofTenant: Map<string, number>
  readonly queues: Map<string, Queue>
  /** What a tenant has had, divided by its weight. One that comes back after a while starts where the others are. */
  readonly shares: Map<string, number>
  served: number
}

const weightMax = 1_000

export class EffectSlots {
  readonly #kinds = new Map<string, Kind>()
  readonly #perKind: number
  readonly #perTenant: number

  constructor(perKind: number = limits.effectsInFlightPerKind, perTenant: number = limits.effectsInFlightPerTenant) {
    this.#perKind = perKind
    this.#perTenant = perTenant
  }

  /** Runs `work` when there is a place for it. */
  async run<T>(kindName: string, tenant: Tenant, work: () => Promise<T>): Promise<T> {
    const kind = this.#kindOf(kindName)
    if (this.#hasPlace(kind, tenant.tenantId)) this.#take(kind, tenant)
    else await this.#wait(kind, tenant)
    try {
      return await work()
    } finally {
      this.#leave(kind, tenant.tenantId)
    }
  }

  #kindOf(name: string): Kind {
    let kind = this.#kinds.get(name)
    if (kind === undefined) {
      kind = { inFlight: 0, ofTenant: new Map(), queues: new Map(), shares: new Map(), served: 0 }
      this.#kinds.set(name, kind)
    }
    return kind
  }

  #hasPlace(kind: Kind, tenantId: string): boolean {
    return kind.inFlight < this.#perKind && (kind.ofTenant.get(tenantId) ?? 0) < this.#perTenant
  }

  #take(kind: Kind, { tenantId, weight }: Tenant): void {
    kind.inFlight += 1
    kind.ofTenant.set(tenantId, (kind.ofTenant.get(tenantId) ?? 0) + 1)
    const share = Math.max(kind.shares.get(tenantId) ?? 0, kind.served)
    kind.served = share
    kind.shares.set(tenantId, share + 1 / toWeight(weight))
  }

  async #wait(kind: Kind, { tenantId, weight }: Tenant): Promise<void> {
    const queue = kind.queues.get(tenantId) ?? { weight, waiting: [] }
    kind.queues.set(tenantId, queue)
    await new Promise<void>((resolve) => {
      queue.waiting.push(resolve)
    })
  }

  #leave(kind: Kind, tenantId: string): void {
    kind.inFlight -= 1
    const left = (kind.ofTenant.get(tenantId) ?? 1) - 1
    if (left > 0) kind.ofTenant.set(tenantId, left)
    else kind.ofTenant.delete(tenantId)
    this.#serve(kind)
    // Nobody is compared with anybody any more.
    if (kind.inFlight === 0) kind.shares.clear()
  }

  #serve(kind: Kind): void {
    let next: { readonly tenantId: string; readonly queue: Queue; readonly share: number } | null = null
    for (const [tenantId, queue] of kind.queues) {
      if (!this.#hasPlace(kind, tenantId)) continue
      const share = kind.shares.get(tenantId) ?? 0
      if (next === null || share < next.share) next = { tenantId, queue, share }
    }
    if (next === null) return
    const { tenantId, queue } = next
    const start = queue.waiting.shift()
    if (queue.waiting.length === 0) kind.queues.delete(tenantId)
    if (start === undefined) return
    this.#take(kind, { tenantId, weight: queue.weight })
    start()
  }
}

function toWeight(weight: number): number {
  return Number.isFinite(weight) ? Math.min(Math.max(weight, 1 / weightMax), weightMax) : 1
}
