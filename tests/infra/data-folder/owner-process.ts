/**
 * Another Duologue as the tests see it: a process that opens a data folder when it is told to, and says what
 * came of it. Messages in: `open <path>`, `start-nats`, `release`. Messages out: `{ opened }`, `{ refused }`, `{ nats }`, `{ released }`.
 */
import { join } from 'node:path'
import { type DataFolder, openDataFolder } from '../../../src/infra/data-folder/data-folder.ts'
import { findNatsServer, startNatsServer } from '../../../src/infra/nats/nats-server.ts'

let folder: DataFolder | null = null

process.on('message', (order: string) => {
  void obey(order)
    .catch((error: Error) => ({ refused: error.message }))
    .then((answer) => process.send?.(answer))
})
process.send?.('ready')

async function obey(order: string): Promise<object> {
  const [verb, path = ''] = order.split(' ')
  if (verb === 'open') {
    folder = await openDataFolder(path)
    return { opened: true }
  }
  if (folder === null) throw new Error('nothing is open')
  if (verb === 'start-nats') {
    const { recordChild } = folder
    const storeDir = join(folder.path, 'nats')
    const nats = await startNatsServer({ binary: findNatsServer(process.env), storeDir, onExit: () => {}, recordChild })
    return { nats: nats.pid }
  }
  folder.release()
  folder = null
  return { released: true }
}
