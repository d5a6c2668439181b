/**
 * Every refusal is one `application/problem+json` with the request's id. A refusal that we chose is
 * an `HttpProblem`; what the world or we did wrong becomes a 500 without a word about the inside.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Telemetry } from '../../actors/ports.ts'

export class HttpProblem extends Error {
  readonly statusCode: number
  /** More members of the answer, beside the usual ones. */
  readonly extension: object

  constructor(statusCode: number, detail: string, options: ErrorOptions & { readonly extension?: object } = {}) {
    super(detail, options)
    this.statusCode = statusCode
    this.extension = options.extension ?? {}
  }
}

export type Problem = {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly requestId: string
}

export function installProblems(app: FastifyInstance, telemetry: Telemetry): void {
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, 404, 'there is nothing here'))
  app.setErrorHandler<FastifyError | HttpProblem>((error, request, reply) => {
    const statusCode = toStatusCode(error)
    const fields = { requestId: request.id, route: request.routeOptions.url, error: error.message }
    if (statusCode >= 500) telemetry.log(statusCode === 503 ? 'warn' : 'error', 'a request failed', fields)
    if (error instanceof HttpProblem) return sendProblem(request, reply, statusCode, error.message, error.extension)
    return sendProblem(request, reply, statusCode, toDetail(statusCode))
  })
}

/** The answer to an address that no route could even be asked about: broken escapes, names that are too long. */
export function refuseAddress(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const statusCode = toStatusCode(error)
  sendProblem(request, reply, statusCode, toDetail(statusCode))
}

/** The answer to bytes that are not HTTP, or came too slowly: there is no request yet to answer. */
export function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const statusCodes: { readonly [code: string]: number } = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }
  const status = statusCodes[error.code ?? ''] ?? 400
  const body = JSON.stringify(toProblem(status, toDetail(status), 'none'))
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  detail: string,
  extension: object = {},
): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  // Bytes, since Fastify would add a charset to the type of anything else, and JSON has none.
  const problem = { ...toProblem(status, detail, request.id), ...extension }
  const body = Buffer.from(JSON.stringify(problem))
  return reply.code(status).header('content-type', 'application/problem+json').send(body)
}

function toProblem(status: number, detail: string, requestId: string): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, requestId }
}

function toStatusCode(error: FastifyError | HttpProblem): number {
  const { statusCode } = error
  return statusCode !== undefined && statusCode >= 400 && statusCode < 600 ? statusCode : 500
}

function toDetail(statusCode: number): string {
  const details: { readonly [statusCode: number]: string } = {
    400: 'the request could not be read',
    408: 'the request came too slowly',
    413: 'the request is too long',
    414: 'the address is too long',
    415: 'the content type is not one of this route',
    431: 'the headers are too long',
    503: 'the service is stopping',
  }
  return details[statusCode] ?? 'the request could not be answered'
}
