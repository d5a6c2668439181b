/**
 * Makes the secrets of docker-compose.yml and prints them as lines of its .env. The secret key is a JWT for the role
 * service_role, which PostgREST verifies with JWT_SECRET; it does not expire.
 */
import { createHmac, randomBytes } from 'node:crypto'

/** Begins with a letter: a NATS configuration takes what begins with a digit for a number. */
const makeSecret = () => `s${randomBytes(24).toString('hex')}`
const toPart = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

const jwtSecret = makeSecret()
const unsigned = `${toPart({ alg: 'HS256', typ: 'JWT' })}.${toPart({ role: 'service_role', iss: 'duologue' })}`
const secretKey = `${unsigned}.${createHmac('sha256', jwtSecret).update(unsigned).digest('base64url')}`

console.log(`POSTGRES_PASSWORD=${makeSecret()}
AUTHENTICATOR_PASSWORD=${makeSecret()}
NATS_ADMIN_PASSWORD=${makeSecret()}
NATS_ACTORS_PASSWORD=${makeSecret()}
NATS_WEBHOOK_PASSWORD=${makeSecret()}
NATS_CONSOLE_PASSWORD=${makeSecret()}
NATS_CLUSTER_PASSWORD=${makeSecret()}
JWT_SECRET=${jwtSecret}
SUPABASE_SECRET_KEY=${secretKey}
DUOLOGUE_API_TOKEN=${makeSecret()}
DUOLOGUE_PUBLIC_URL=
TWILIO_ACCOUNT_SID=
TWILIO_AUTH_TOKEN=
TWILIO_NUMBERS=`)
