/**
 * The load generator, a process of its own so that its work is not the measured process's: it prepares
 * loads and sends them when its parent says so. Ends when its parent goes.
 */
import { prepareRequests } from './prepare-requests.ts'
import type { LoadSpecification, PreparedRequests } from './prepare-requests.ts'
import { sendClosedLoop } from './send-closed-loop.ts'
import type { LoadResult } from './send-closed-loop.ts'

export type GeneratorOrder =
  | { readonly kind: 'prepare'; readonly specification: LoadSpecification }
  | { readonly kind: 'send'; readonly seconds: number; readonly connections: number }

export type GeneratorAnswer =
  | { readonly kind: 'prepared' }
  | { readonly kind: 'sent'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly reason: string }

let prepared: { readonly webhookUrl: string; readonly load: PreparedRequests } | null = null

process.on('disconnect', () => process.exit(0))
process.on('message', (order: GeneratorOrder) => {
  void obey(order).catch((error: unknown) => answer({ kind: 'failed', reason: String(error) }))
})

async function obey(order: GeneratorOrder): Promise<void> {
  switch (order.kind) {
    case 'prepare': {
      const { webhookUrl } = order.specification
      prepared = { webhookUrl, load: prepareRequests(order.specification) }
      answer({ kind: 'prepared' })
      return
    }
    case 'send': {
      if (prepared === null) throw new Error('nothing was prepared')
      const { webhookUrl, load } = prepared
      prepared = null
      answer({ kind: 'sent', result: await sendClosedLoop(webhookUrl, load, order) })
      return
    }
  }
}

function answer(message: GeneratorAnswer): void {
  process.send?.(message)
}
