/** Stands between the sender and a Twilio, and keeps every request as it was on the wire. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export type SeenRequest = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string
  readonly form: URLSearchParams
}

export type RecordingProxy = { readonly url: string; readonly seen: SeenRequest[]; close(): Promise<void> }

export async function startRecordingProxy(targetUrl: string): Promise<RecordingProxy> {
  const seen: SeenRequest[] = []
  const server = http.createServer((incoming, outgoing) => {
    void (async () => {
      const body = await buffer(incoming)
      const { method = '', url = '', headers } = incoming
      const { pathname, searchParams } = new URL(url, targetUrl)
      const authorization = headers.authorization ?? ''
      seen.push({
        method,
        path: pathname,
        query: searchParams,
        authorization,
        form: new URLSearchParams(body.toString()),
      })
      const type = headers['content-type'] ?? ''
      const init = method === 'GET' ? {} : { body, headers: { authorization, 'content-type': type } }
      const answer = await fetch(targetUrl + url, { method, headers: { authorization }, ...init })
      outgoing.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
      outgoing.end(Buffer.from(await answer.arrayBuffer()))
    })().catch(() => incoming.socket.resetAndDestroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
