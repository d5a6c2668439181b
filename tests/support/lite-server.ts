/**
 * A process of its own: Supabase Lite's HTTP server on PostgreSQL. Arguments: database URL, secret key,
 * publishable key, port (0: any free one). Prints the port that it listens on, and ends when its standard input does.
 */
import { serve } from '@hono/node-server'
import { App } from '@supabase/lite'
import { createPostgresConnection } from '@supabase/lite/postgres'

const [databaseUrl = '', secretKey = '', publishableKey = '', port = '0'] = process.argv.slice(2)
// Without it the driver tries a database that was away for a while again only every 20 s.
const backoff = (): number => 0.25
const connection = createPostgresConnection({ url: databaseUrl, postgresOptions: { onnotice: () => {}, backoff } })
const app = new App({
  connection,
  auth: { enabled: false, secret_key: secretKey, publishable_key: publishableKey },
})
await app.init()
const server = serve(
  { port: Number(port), hostname: '127.0.0.1', fetch: (request) => app.fetch(request) },
  (address) => {
    process.stdout.write(`${address.port}\n`)
  },
)
process.stdin.resume().on('end', () => {
  server.close()
  process.exit(0)
})
