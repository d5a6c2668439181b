/**
 * Who may call which route, decided in one place from the route's own description.
 *
 * Programs bring the deployment's API token, or one of a tenant: that one is let in only where the route keeps to the
 * tenant that asks (`isTenantAware`), so a new route is closed to tenants until it says that it does. Pages bring the session cookie, which counts only on this machine
 * (loopback peer *and* loopback `Host`, so that neither a tunnel for the webhook nor a rebound DNS
 * name reaches a page), and for anything but GET only from our own origin.
 */
import type {} from '@fastify/cookie'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Access } from './openapi.ts'
import type { PageSessions } from './page-sessions.ts'
import { HttpProblem } from './problem.ts'

const loopbackPeer = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/
const loopbackHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant whose token came; null: the operator of the deployment, who sees all. */
    tenantId: string | null
  }
}

export type AccessOptions = {
  readonly apiToken: string
  readonly sessions: PageSessions
  /** The tenant of an API token, by the SHA-256 of the token in hexadecimal; null when it is none, or was revoked. */
  readonly findTenantByToken: (tokenHash: string) => Promise<string | null>
}

export function createAccessCheck({
  apiToken,
  sessions,
  findTenantByToken,
}: AccessOptions): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const access: Access = request.routeOptions.config.operation?.access ?? 'page'
    if (access === 'public') return
    if (access === 'api' && hasToken(request, apiToken)) return
    if (access === 'api' && request.headers.authorization !== undefined) {
      request.tenantId = await findTenant(request, findTenantByToken)
      return
    }
    if (access !== 'api' || hasCookie(request)) assertLoopback(request)
    if (access === 'loopback') return
    if (!hasSession(request, sessions)) throw new HttpProblem(401, toAdvice(access))
    if (request.method !== 'GET') assertOwnOrigin(request)
  }
}

/** Cookies know no ports: two Duologues on one machine must not sign each other out. */
export function toCookieName(request: FastifyRequest): string {
  return `duologue-${request.socket.localPort ?? 'page'}`
}

export function hasSession(request: FastifyRequest, sessions: PageSessions): boolean {
  return sessions.isOpen(request.cookies[toCookieName(request)])
}

export function assertLoopback(request: FastifyRequest): void {
  const isForwarded = request.headers['x-forwarded-for'] !== undefined || request.headers.forwarded !== undefined
  const isHere = loopbackPeer.test(request.socket.remoteAddress ?? '') && loopbackHost.test(request.headers.host ?? '')
  if (!isHere || isForwarded) throw new HttpProblem(403, 'pages are served on this machine only')
}

/** Browsers say where a request comes from; one that does not say is none of ours. */
function assertOwnOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  const isSameOrigin = origin === undefined ? site === 'same-origin' : origin === `http://${host}`
  if (!isSameOrigin || (site !== undefined && site !== 'same-origin')) {
    throw new HttpProblem(403, 'the request comes from another origin')
  }
}

async function findTenant(
  request: FastifyRequest,
  findTenantByToken: AccessOptions['findTenantByToken'],
): Promise<string> {
  const given = readToken(request)
  const tenantId = given === undefined ? null : await findTenantByToken(toDigest(given).toString('hex'))
  if (tenantId === null) throw new HttpProblem(401, 'the token is not valid')
  if (request.routeOptions.config.operation?.isTenantAware !== true)
    throw new HttpProblem(403, "this needs the deployment's own token")
  return tenantId
}

/** Spread into what a reading function is asked: it keeps the answer inside the tenant. */
export function toTenant({ tenantId }: FastifyRequest): { readonly tenantId?: string } {
  return tenantId === null ? {} : { tenantId }
}

function readToken(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Both sides are hashed first: the comparison takes the same time whatever was sent, and however long. */
function hasToken(request: FastifyRequest, apiToken: string): boolean {
  const given = readToken(request)
  return given !== undefined && apiToken !== '' && timingSafeEqual(toDigest(given), toDigest(apiToken))
}

function toDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function hasCookie(request: FastifyRequest): boolean {
  return request.cookies[toCookieName(request)] !== undefined
}

function toAdvice(access: Access): string {
  if (access === 'api') return 'the request needs the API token: Authorization: Bearer <token>'
  return 'open the page with the link that Duologue printed when it started'
}
