/** Stands where Duologue would listen: it keeps every form, and whether Twilio signed it. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import twilio from 'twilio'

export type Received = { readonly path: string; readonly form: { [field: string]: string }; readonly isSigned: boolean }

export type DuologueStub = {
  readonly url: string
  readonly received: Received[]
  /** The statuses of the next answers, then 200 again. */
  readonly answers: number[]
  close(): void
}

export async function startDuologueStub(authToken: string): Promise<DuologueStub> {
  const received: Received[] = []
  const answers: number[] = []
  const server = http.createServer((request, response) => {
    void text(request).then((body) => {
      const form = Object.fromEntries(new URLSearchParams(body))
      const path = request.url ?? ''
      const signature = String(request.headers['x-twilio-signature'])
      received.push({ path, form, isSigned: twilio.validateRequest(authToken, signature, stub.url + path, form) })
      response.writeHead(answers.shift() ?? 200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stub: DuologueStub = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answers,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return stub
}
