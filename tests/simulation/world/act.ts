/** Does one action of a scenario, and undoes it when its time is over. */
import type { Action } from './scenario.ts'
import type { World } from './world.ts'

export function act(world: World, action: Action): void {
  const { scheduler, faults, log, server } = world
  if (action.kind === 'message') {
    if (action.body.startsWith('☠')) faults.count(action.body === '☠ store' ? 'store-poison' : 'machine-poison')
    world.receive(action.user, action.id, action.body)
    return
  }
  if (action.kind === 'operator') {
    world.command(action.user, action.id, action.does, action.looks)
    return
  }
  const end = (forMs: number, undo: () => void): void => void scheduler.after(null, forMs, `${action.kind} ends`, undo)
  const made = 'node' in action ? world.nodes[action.node] : undefined
  if ('node' in action) {
    if (made === null || made === undefined) return
    faults.count(action.kind)
    actOnNode(world, action, end)
    return
  }
  faults.count(action.kind)
  switch (action.kind) {
    case 'foreign-event':
      world.foreign(action.user)
      return
    case 'store-down':
      server.isDown = true
      end(action.forMs, () => {
        server.isDown = false
      })
      return
    case 'log-down':
      log.isDown = true
      end(action.forMs, () => {
        log.isDown = false
        log.wakeReaders()
      })
      return
    case 'log-window-forgotten':
      log.forgetWindow()
      return
    case 'log-readers-restart':
      log.restartReaders()
      return
    case 'log-partition-held':
      log.held.add(action.partition)
      end(action.forMs, () => {
        log.held.delete(action.partition)
        log.wakeReaders()
      })
      return
  }
}

type NodeAction = Extract<Action, { readonly node: number }>

function actOnNode(world: World, action: NodeAction, end: (forMs: number, undo: () => void) => void): void {
  const made = world.nodes[action.node]
  if (made === null || made === undefined) return
  const { owner } = made
  switch (action.kind) {
    case 'node-kill':
      world.kill(owner, action.forMs, action.keepsName)
      return
    case 'node-pause':
      owner.pausedUntil = world.scheduler.now + action.forMs
      return
    case 'node-slow':
      owner.slowMs = action.slowMs
      end(action.forMs, () => {
        owner.slowMs = 0
      })
      return
    case 'node-restart':
      void world.restart(action.node)
      return
    case 'node-skew':
      owner.skewMs = action.skewMs
      // One clock may be ahead while another is behind.
      world.history.skewMs = Math.max(world.history.skewMs, Math.abs(action.skewMs))
      return
    case 'cut-from-log':
      owner.isCutFromLog = true
      end(action.forMs, () => {
        owner.isCutFromLog = false
        world.log.wakeReaders()
      })
      return
    case 'cut-from-store':
      owner.isCutFromStore = true
      end(action.forMs, () => {
        owner.isCutFromStore = false
      })
      return
  }
}
