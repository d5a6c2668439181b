/**
 * A process of its own: Supabase Lite's HTTP server on PostgreSQL. Arguments: database URL, secret key,
 * publishable key. Prints the port that it listens on, and ends when its standard input does.
 */
import { serve } from '@hono/node-server'
import { App } from '@supabase/lite'
import { createPostgresConnection } from '@supabase/lite/postgres'

const [databaseUrl = '', secretKey = '', publishableKey = ''] = process.argv.slice(2)
const connection = createPostgresConnection({ url: databaseUrl, postgresOptions: { onnotice: () => {} } })
const app = new App({
  connection,
  auth: { enabled: false, secret_key: secretKey, publishable_key: publishableKey },
})
await app.init()
const server = serve({ port: 0, hostname: '127.0.0.1', fetch: (request) => app.fetch(request) }, ({ port }) => {
  process.stdout.write(`${port}\n`)
})
process.stdin.resume().on('end', () => {
  server.close()
  process.exit(0)
})
