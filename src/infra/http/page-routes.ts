/**
 * The pages and their files. The link that is printed at the start carries a one-time code; the
 * browser exchanges it for the session cookie and is sent on to the clean address at once, so that
 * the code stays in no history entry that could be reloaded.
 */
import type {} from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { assertLoopback, hasSession, toCookieName } from './access.ts'
import type { Operation } from './openapi.ts'
import type { PageFiles } from './page-files.ts'
import type { PageSessions } from './page-sessions.ts'
import { HttpProblem } from './problem.ts'

export type PageRouteOptions = {
  readonly files: PageFiles
  readonly sessions: PageSessions
  /** Pages by their path: `{ '/phone': 'phone/index.html' }`. */
  readonly pages: { readonly [path: string]: string }
}

const signInText =
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>Duologue</title><p>Open this page with the link that Duologue printed when it started.</p></html>'

export async function registerPageRoutes(app: FastifyInstance, options: PageRouteOptions): Promise<void> {
  for (const [path, file] of Object.entries(options.pages)) {
    app.get(path, { config: { operation: page } }, (request, reply) => showPage(request, reply, path, file, options))
  }
  app.get('/assets/*', { config: { operation: asset } }, async (request, reply) => {
    const { '*': name } = request.params as { '*': string }
    return sendFile(reply, `assets/${name}`, options.files)
  })
}

async function showPage(
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  file: string,
  options: PageRouteOptions,
) {
  assertLoopback(request)
  const { code } = request.query as { code?: string | string[] }
  const sessionId = typeof code === 'string' ? options.sessions.redeem(code) : null
  if (sessionId !== null) {
    const cookie = { httpOnly: true, sameSite: 'strict', path: '/' } as const
    return reply
      .setCookie(toCookieName(request), sessionId, cookie)
      .header('cache-control', 'no-store')
      .redirect(path, 303)
  }
  const isSignedIn = hasSession(request, options.sessions)
  if (isSignedIn && code !== undefined) return reply.header('cache-control', 'no-store').redirect(path, 303)
  if (isSignedIn) return sendFile(reply, file, options.files)
  return reply.code(401).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(signInText)
}

function sendFile(reply: FastifyReply, path: string, files: PageFiles): FastifyReply {
  const file = files.get(path)
  if (file === undefined) throw new HttpProblem(404, 'there is nothing here')
  return reply.type(file.contentType).header('cache-control', file.cacheControl).send(file.body)
}

const page: Operation = {
  summary: 'A page; `code` signs in once, 401 without a session',
  access: 'loopback',
  parameters: [{ in: 'query', name: 'code', schema: { type: 'string' } }],
  answer: { status: 200, contentType: 'text/html' },
  problems: [401, 403],
}

const asset: Operation = {
  summary: 'A file of a page',
  access: 'loopback',
  parameters: [{ in: 'path', name: 'file', schema: { type: 'string' } }],
  answer: { status: 200, contentType: 'text/javascript' },
  problems: [403, 404],
}
