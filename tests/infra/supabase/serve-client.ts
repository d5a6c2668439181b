/**
 * The embedded database over HTTP, for tests with rival processes: PGlite lives in one process, so that process
 * passes on what the others call. Only functions, as Duologue calls nothing else.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { SupabaseClient } from '@supabase/supabase-js'

export async function serveClient(client: SupabaseClient): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    void (async () => {
      const name = new URL(request.url ?? '', 'http://local').pathname.split('/').at(-1) ?? ''
      const { data, error, status } = await client.rpc(name, (await json(request)) as object)
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(error ?? data))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
