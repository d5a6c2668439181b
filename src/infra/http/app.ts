/**
 * The HTTP application: every route, who may call it, and the one way in which it refuses. It owns
 * no state but the page sessions; what it needs comes as arguments, and it listens to nobody until
 * `main` says where.
 */
import fastifyCookie from '@fastify/cookie'
import { randomBytes } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Clock, Telemetry } from '../../actors/ports.ts'
import type { ReadModel } from '../../actors/read-model.ts'
import type { SendingModel } from '../../actors/sending-model.ts'
import { createAccessCheck, type AccessOptions } from './access.ts'
import { registerChartRoutes, type ChartRouteOptions } from './chart-routes.ts'
import { registerCommandRoutes, type CommandRouteOptions } from './command-routes.ts'
import { registerConversationRoutes } from './conversation-routes.ts'
import { registerLiveRoutes, type LiveRouteOptions } from './live-routes.ts'
import { describeRoutes, type OpenApiDocument } from './openapi.ts'
import { registerOperationsRoutes, type OperationsRouteOptions } from './operations-routes.ts'
import { readPageFiles } from './page-files.ts'
import { registerPageRoutes } from './page-routes.ts'
import { createPageSessions, type PageSessions } from './page-sessions.ts'
import { registerPhoneRoutes, type PhoneService } from './phone-routes.ts'
import type { MediaOfAccounts } from '../../actors/media-fetcher.ts'
import { registerMediaRoutes } from './media-routes.ts'
import { installProblems, refuseAddress, refuseConnection } from './problem.ts'
import { registerQuarantineRoutes, type QuarantineRouteOptions } from './quarantine-routes.ts'
import { registerSendingRoutes } from './sending-routes.ts'
import { registerSessionRoutes, type LinkService } from './session-routes.ts'
import { registerReviewRoutes, type ReviewRouteOptions } from './review-routes.ts'
import { registerTimelineRoutes, type TimelineRouteOptions } from './timeline-routes.ts'
import { registerWebhookRoutes, type WebhookRouteOptions } from './webhook-routes.ts'

export type AppOptions = {
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly checkReadiness: OperationsRouteOptions['checkReadiness']
  readonly readMetrics: OperationsRouteOptions['readMetrics']
  /** Bearer token of the JSON API. */
  readonly apiToken: string
  readonly findTenantByToken?: AccessOptions['findTenantByToken']
  readonly readModel: ReadModel
  readonly sending: SendingModel
  /** Reads the attachments of messages. */
  readonly media: MediaOfAccounts
  /** Absent where nobody may link sessions. */
  readonly links?: LinkService
  /** How commands get to their conversations and their outcomes back. */
  readonly commands: Pick<CommandRouteOptions, 'publisher' | 'ids' | 'readCommand' | 'onCommandSettled'>
  readonly dismissForeign: QuarantineRouteOptions['dismissForeign']
  /** The key of a user's session, from any spelling of the address; null when it is malformed. */
  readonly toUserKey: (address: string) => string | null
  /** Null where this node shows no charts. */
  readonly charts:
    | (ChartRouteOptions &
        Partial<Omit<LiveRouteOptions, 'library' | 'clock'>> &
        Partial<Pick<TimelineRouteOptions, 'readTimeline'>>)
    | null
  /** Null where nothing is reviewed. */
  readonly reviews: Omit<ReviewRouteOptions, 'ids' | 'toUserKey'> | null
  /** Null where this node does not answer webhooks. */
  readonly webhooks: Pick<WebhookRouteOptions, 'webhook' | 'publisher' | 'findChannel' | 'reached'> | null
  /** Null where this node serves no pages. `folder` holds the web build. */
  readonly pages: { readonly folder: string; readonly phone: PhoneService | null } | null
  /** A request that takes longer to arrive is cut off; 10 s unless told. */
  readonly requestTimeoutMs?: number
}

export type App = {
  readonly server: FastifyInstance
  readonly document: OpenApiDocument
  /** A new code for a page (`/phone?code=…`); it signs in once, for all pages. */
  issueSignInCode(): string
}

const headersTimeoutMs = 5_000
const requestTimeoutMs = 10_000
/** How often the server looks for connections that are too slow. */
const timeoutCheckMs = 1_000
/** At a stop: how often connections are looked at, and after which time nobody is waited for any more. */
const endIdleEveryMs = 50
const answerWithinMs = 15_000

export async function createApp(options: AppOptions): Promise<App> {
  const requestTimeout = options.requestTimeoutMs ?? requestTimeoutMs
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeout)
  const server = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout,
    http: { headersTimeout, connectionsCheckingInterval: timeoutCheckMs },
    genReqId: createRequestIds(),
    clientErrorHandler: refuseConnection,
    frameworkErrors: refuseAddress,
  })
  server.removeAllContentTypeParsers()
  const document = describeRoutes(server)
  const sessions = createPageSessions()
  installProblems(server, options.telemetry)
  endConnectionsOnClose(server)
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(securityHeaders)
    done()
  })

  await server.register((scope) => registerOperationsRoutes(scope, { ...options, document }))
  const { webhooks } = options
  if (webhooks !== null) await server.register((scope) => registerWebhookRoutes(scope, { ...options, ...webhooks }))
  await server.register((scope) => registerGuarded(scope, options, sessions))
  await server.ready()
  return { server, document, issueSignInCode: () => sessions.issueCode() }
}

/**
 * A stop waits for the requests that are under way, and not for their connections: kept alive after their answer, they
 * would hold it up for as long as a client may be silent (72 s). Node closes only those that are idle when it begins.
 */
function endConnectionsOnClose(server: FastifyInstance): void {
  let isClosing = false
  server.addHook('preClose', (done) => {
    isClosing = true
    const beganAt = performance.now()
    const ending = setInterval(() => {
      if (performance.now() - beganAt < answerWithinMs) server.server.closeIdleConnections()
      else server.server.closeAllConnections()
    }, endIdleEveryMs)
    server.server.once('close', () => clearInterval(ending))
    done()
  })
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (isClosing) reply.header('connection', 'close')
    done()
  })
}

/** Everything that needs to know who asks. */
async function registerGuarded(scope: FastifyInstance, options: AppOptions, sessions: PageSessions): Promise<void> {
  const { readModel, toUserKey, charts, reviews, pages, clock } = options
  await scope.register(fastifyCookie)
  scope.decorateRequest('tenantId', null)
  const { apiToken, findTenantByToken = async () => null, links } = options
  scope.addHook('onRequest', createAccessCheck({ apiToken, sessions, findTenantByToken }))
  await scope.register((api) => registerConversationRoutes(api, { readModel, toUserKey }))
  await scope.register((api) => registerSendingRoutes(api, options))
  await scope.register((api) => registerMediaRoutes(api, { readModel, media: options.media }))
  if (links !== undefined) await scope.register((api) => registerSessionRoutes(api, { readModel, links, toUserKey }))
  if (charts !== null) await scope.register((api) => registerChartRoutes(api, charts))
  const { library, live, checkInFlight, readMap, readTimeline } = charts ?? {}
  if (readTimeline !== undefined)
    await scope.register((api) => registerTimelineRoutes(api, { readModel, readTimeline }))
  if (library !== undefined && live !== undefined && checkInFlight !== undefined && readMap !== undefined) {
    await scope.register((api) => registerLiveRoutes(api, { library, live, checkInFlight, readMap, clock }))
  }
  if (reviews !== null) {
    const { ids } = options.commands
    await scope.register((api) => registerReviewRoutes(api, { ...reviews, ids, toUserKey }))
  }
  await scope.register((api) => registerCommandRoutes(api, { ...options.commands, readModel, clock }))
  const { dismissForeign } = options
  await scope.register((api) =>
    registerQuarantineRoutes(api, { ...options.commands, readModel, clock, dismissForeign }),
  )
  if (pages === null) return
  const files = readPageFiles(pages.folder)
  const { phone } = pages
  const paths: { [path: string]: string } = {
    ...(charts !== null && { '/': 'chart/index.html' }),
    ...(phone !== null && { '/phone': 'phone/index.html' }),
  }
  await scope.register((page) => registerPageRoutes(page, { files, sessions, pages: paths }))
  if (phone !== null) await scope.register((page) => registerPhoneRoutes(page, phone, clock))
}

const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

/** Unique over restarts and nodes, and cheap: a random part of this process and a number. */
function createRequestIds(): () => string {
  const prefix = randomBytes(6).toString('hex')
  let count = 0
  return () => `${prefix}-${(count += 1).toString(36)}`
}
