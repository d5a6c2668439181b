/**
 * What the fetcher connects to, and what it never does. Names are looked up in a book of the test's, and every
 * connection is made by the test's own dial, which notes where it was to go and leads to a server on this machine: so
 * an address outside the list would be seen, and nothing leaves the machine.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Telemetry } from '../../../src/actors/ports.ts'
import { createMediaFetcher } from '../../../src/infra/media/media-fetcher.ts'
import type { MediaLimits } from '../../../src/infra/media/media-fetcher.ts'
import { dial } from '../../../src/infra/media/media-hop.ts'
import type { Dial } from '../../../src/infra/media/media-hop.ts'
import { selfSigned } from './self-signed.ts'
import { processClock } from '../../../src/infra/process/clock.ts'

const accountSid = `AC${'1'.repeat(32)}`
const api = `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages/MM1/Media/ME1`
const cdn = 'https://mms.twiliocdn.com/file'
const publicAddress = '54.172.60.1'
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64)])

type Answer = (request: IncomingMessage, response: ServerResponse) => void

let server: Server
let port: number
let answer: Answer
/** Where connections were to go, and what was asked there. */
let dialled: string[]
let asked: { readonly host: string; readonly path: string; readonly authorization: string | undefined }[]
/** What each name is looked up as, in turn; the last stands. */
let book: { [host: string]: readonly (readonly string[])[] }
let lookups: string[]

const sendFile: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(png)

function redirect(location: string): Answer {
  return (_request, response) => void response.writeHead(302, { location }).end()
}

beforeEach(async () => {
  answer = sendFile
  dialled = []
  asked = []
  lookups = []
  book = { 'api.twilio.com': [[publicAddress]], 'mms.twiliocdn.com': [[publicAddress, '2600:9000::1']] }
  server = createServer((request, response) => {
    const { host = '', authorization } = request.headers
    asked.push({ host, path: request.url ?? '', authorization })
    answer(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => {
    server.close(resolve)
  })
})

const silent: Telemetry = { count: () => {}, observe: () => {}, gauge: () => {}, log: () => {} }

function createFetcher(limits: Partial<MediaLimits> = {}, trusted: string | null = null) {
  const ours = trusted === null ? [] : [{ origin: trusted, isTrusted: true }]
  return createMediaFetcher({
    policy: {
      hosts: ['mms.twiliocdn.com'],
      apis: [...ours, { origin: 'https://api.twilio.com', isTrusted: false }],
      accountSid,
    },
    authToken: 'token',
    clock: processClock,
    telemetry: silent,
    limits,
    async resolve(hostname) {
      lookups.push(hostname)
      const [first = [], ...later] = book[hostname] ?? []
      if (later.length > 0) book[hostname] = later
      return first
    },
    dial({ address, port: wanted, serverName }) {
      dialled.push(`${address} ${wanted} ${serverName}`)
      const socket = net.connect({ host: '127.0.0.1', port })
      // In place of TLS, which the server here does not speak.
      socket.once('connect', () => socket.emit('secureConnect'))
      return socket
    },
  })
}

async function refusal(url: string, limits: Partial<MediaLimits> = {}) {
  const file = await createFetcher(limits).fetch(url)
  return file.kind === 'refused' ? file.reason : file.kind
}

test('a file of our account is fetched with our credentials, from the address that was looked up', async () => {
  const file = await createFetcher().fetch(api)
  expect(file).toMatchObject({ kind: 'media', contentType: 'image/png', family: 'image' })
  expect(file.kind === 'media' && Buffer.from(file.bytes).equals(png)).toBe(true)
  expect(dialled).toEqual([`${publicAddress} 443 api.twilio.com`])
  expect(asked).toEqual([
    {
      host: 'api.twilio.com',
      path: new URL(api).pathname,
      authorization: `Basic ${Buffer.from(`${accountSid}:token`).toString('base64')}`,
    },
  ])
})

test('a redirect to where the provider keeps media is followed without the credentials', async () => {
  answer = (request, response) => (asked.length === 1 ? redirect(cdn)(request, response) : sendFile(request, response))
  expect(await createFetcher().fetch(api)).toMatchObject({ kind: 'media' })
  expect(asked.map(({ host, authorization }) => [host, authorization !== undefined])).toEqual([
    ['api.twilio.com', true],
    ['mms.twiliocdn.com', false],
  ])
})

test('a redirect back to the API carries no credentials either', async () => {
  answer = (request, response) => (asked.length === 1 ? redirect(api)(request, response) : sendFile(request, response))
  expect(await createFetcher().fetch(cdn)).toMatchObject({ kind: 'media' })
  expect(asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined])
})

const addresses = [
  'http://127.0.0.1/',
  'https://127.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'http://169.254.169.254/latest/meta-data/',
  'https://169.254.169.254/',
  'https://[fd00:ec2::254]/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0177.0.0.1/',
  'https://127.1/',
  'https://0/',
  'https://10.0.0.1/',
  'https://192.168.1.1/',
  'https://172.16.0.1/',
  'https://100.64.0.1/',
  'https://54.172.60.1/',
  'https://localhost/',
  'https://metadata.google.internal/',
  'https://api.twilio.com@evil.example/2010-04-01/',
  `https://user:pass@api.twilio.com/2010-04-01/Accounts/${accountSid}/a`,
  'https://api.twilio.com.evil.example/2010-04-01/',
  'https://evil-api.twilio.com/',
  'https://evil.example/?https://api.twilio.com/',
  'https://api.twilio.com./2010-04-01/',
  String.raw`https://evil.example\@api.twilio.com/`,
  `http://api.twilio.com/2010-04-01/Accounts/${accountSid}/a`,
  `https://api.twilio.com:8443/2010-04-01/Accounts/${accountSid}/a`,
  'https://mms.twiliocdn.com:22/file',
  'http://mms.twiliocdn.com/file',
  'https://api.twilio.com/2010-04-01/Accounts/AC22222222222222222222222222222222/Messages/MM1/Media/ME1',
  `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/../AC2/Messages/MM1`,
  'gopher://mms.twiliocdn.com/file',
  'file:///etc/passwd',
  'ftp://mms.twiliocdn.com/file',
  'data:image/png;base64,iVBORw0KGgo=',
  'javascript:alert(1)',
  '//mms.twiliocdn.com/file',
  'https://',
  '',
  'https://mms.twiliocdn.com%2eevil.example/',
  'https://ⓜms.twiliocdn.com.evil.example/',
]

describe('no connection is opened to', () => {
  test.each(addresses)('%s', async (url) => {
    expect(await refusal(url)).toBe('not-allowed')
    expect(dialled).toEqual([])
    expect(lookups).toEqual([])
  })

  test.each(addresses.filter((url) => url !== '' && url !== '//mms.twiliocdn.com/file'))(
    '%s when a redirect leads there',
    async (url) => {
      answer = redirect(Buffer.from(url, 'utf8').toString('latin1'))
      // Where the path is the current host's own, following it is no harm, and ends by the number of redirects.
      expect(await refusal(cdn)).toBe('not-allowed')
      expect(dialled.every((target) => target === `${publicAddress} 443 mms.twiliocdn.com`)).toBe(true)
    },
  )
})

describe('a name of the list that leads elsewhere', () => {
  test.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '169.254.169.254',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '100.100.100.200',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '198.18.0.1',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:db8::1',
    'not an address',
  ])('to %s is not connected to', async (address) => {
    book['mms.twiliocdn.com'] = [[address]]
    expect(await refusal(cdn)).toBe('not-allowed')
    expect(dialled).toEqual([])
  })

  test('to a public address and a private one is not connected to', async () => {
    book['mms.twiliocdn.com'] = [[publicAddress, '10.0.0.1']]
    expect(await refusal(cdn)).toBe('not-allowed')
    expect(dialled).toEqual([])
  })

  test('the second time is connected to where it led the first time', async () => {
    book['mms.twiliocdn.com'] = [[publicAddress], ['127.0.0.1']]
    expect(await refusal(cdn)).toBe('media')
    expect(lookups).toEqual(['mms.twiliocdn.com'])
    expect(dialled).toEqual([`${publicAddress} 443 mms.twiliocdn.com`])
  })

  test('by a redirect to itself is looked up, and refused, anew', async () => {
    book['mms.twiliocdn.com'] = [[publicAddress], ['127.0.0.1']]
    answer = redirect('/again')
    expect(await refusal(cdn)).toBe('not-allowed')
    expect(dialled).toEqual([`${publicAddress} 443 mms.twiliocdn.com`])
  })

  test('nowhere is not reached', async () => {
    book['mms.twiliocdn.com'] = [[]]
    expect(await refusal(cdn)).toBe('unreachable')
    expect(dialled).toEqual([])
  })
})

describe('a server that means harm', () => {
  test('redirects in circles three times and no more', async () => {
    answer = redirect(cdn)
    expect(await refusal(cdn)).toBe('not-allowed')
    expect(dialled).toHaveLength(4)
  })

  test('redirects to plain http and is not followed', async () => {
    answer = redirect('http://mms.twiliocdn.com/file')
    expect(await refusal(cdn)).toBe('not-allowed')
    expect(dialled).toHaveLength(1)
  })

  test('says that its file is large and is not read', async () => {
    answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'image/png', 'content-length': '999999999' }).write(png)
    expect(await refusal(cdn)).toBe('too-large')
  })

  test('sends more than it said, without an end, and is cut off', async () => {
    let written = 0
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' })
      response.write(png)
      const chunk = Buffer.alloc(16_384)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }
    expect(await refusal(cdn, { bytesMax: 100_000 })).toBe('too-large')
    expect(written).toBeLessThan(50_000_000)
  })

  test('sends a packed file and it is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000))
    answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'image/png', 'content-encoding': 'gzip' }).end(bomb)
    expect(await refusal(cdn)).toBe('wrong-type')
  })

  test.each<[string, Answer]>([
    ['says nothing', () => undefined],
    ['says half', (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).write(png)],
    [
      'says a byte now and then',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'image/png' })
        const timer = setInterval(() => response.write('x'), 20)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('and %s is given up in time', async (_what, behaviour) => {
    answer = behaviour
    const startedAt = performance.now()
    expect(await refusal(cdn, { connectMs: 200, headersMs: 250, totalMs: 400 })).toBe('timeout')
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })

  test.each([
    ['text/html', '<script>alert(1)</script>'],
    ['image/svg+xml', '<svg onload="alert(1)"/>'],
    ['application/xhtml+xml', '<html/>'],
    ['image/png', '<html><script>alert(1)</script>'],
    ['audio/ogg', 'MZ\u0090\u0000'],
    ['video/mp4', '<svg/>'],
    ['application/pdf', '<html/>'],
    ['constructor', 'x'],
    ['', 'x'],
  ])('sends %s and it is not taken', async (contentType, body) => {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': contentType }).end(body)
    expect(await refusal(cdn)).toBe('wrong-type')
  })

  test.each([
    [404, 'gone'],
    [410, 'gone'],
    [401, 'unreachable'],
    [500, 'unreachable'],
    [206, 'unreachable'],
    [304, 'unreachable'],
  ])('answers %i and the file is %s', async (status, reason) => {
    answer = (_request, response) => void response.writeHead(status, { 'content-type': 'image/png' }).end()
    expect(await refusal(cdn)).toBe(reason)
  })
})

test('what is not wanted any more is let go', async () => {
  answer = () => undefined
  const controller = new AbortController()
  const fetching = createFetcher().fetch(cdn, controller.signal)
  controller.abort()
  expect(await fetching).toMatchObject({ kind: 'refused', reason: 'aborted' })
})

test('no more files are fetched at once than there are places, and a few wait', async () => {
  const open: ServerResponse[] = []
  answer = (_request, response) => void open.push(response)
  const fetcher = createFetcher({ inFlightMax: 2, waitingMax: 1 })
  const files = [1, 2, 3].map(async () => fetcher.fetch(cdn))
  expect(await fetcher.fetch(cdn)).toMatchObject({ kind: 'refused', reason: 'busy' })
  await expect.poll(() => open.length).toBe(2)
  expect(dialled).toHaveLength(2)
  for (const response of open.splice(0)) sendFile(undefined as never, response)
  await expect.poll(() => open.length).toBe(1)
  for (const response of open.splice(0)) sendFile(undefined as never, response)
  expect((await Promise.all(files)).map(({ kind }) => kind)).toEqual(['media', 'media', 'media'])
})

describe('over TLS', () => {
  async function fetchFrom(connect: Dial): Promise<{ readonly kind: string; readonly asked: number }> {
    let count = 0
    const secure = createSecureServer(selfSigned, (request, response) => {
      count += 1
      sendFile(request, response)
    })
    await new Promise<void>((resolve) => {
      secure.listen(0, '127.0.0.1', resolve)
    })
    const { port: securePort } = secure.address() as AddressInfo
    const file = await createMediaFetcher({
      policy: { hosts: ['mms.twiliocdn.com'], apis: [], accountSid },
      authToken: 'token',
      clock: processClock,
      telemetry: silent,
      resolve: async () => [publicAddress],
      dial: ({ serverName }) => connect({ address: '127.0.0.1', port: securePort, serverName }),
    }).fetch(cdn)
    secure.closeAllConnections()
    await new Promise((resolve) => {
      secure.close(resolve)
    })
    return { kind: file.kind === 'refused' ? file.reason : file.kind, asked: count }
  }

  test('a host that only vouches for itself is asked nothing', async () => {
    expect(await fetchFrom(dial)).toEqual({ kind: 'unreachable', asked: 0 })
  })

  test('one that somebody trusted vouches for is asked', async () => {
    const trusting: Dial = ({ address, port: there, serverName }) =>
      tls.connect({ host: address, port: there, servername: serverName ?? '', ca: selfSigned.cert })
    expect(await fetchFrom(trusting)).toEqual({ kind: 'media', asked: 1 })
  })
})

describe('an API that the settings name', () => {
  const trusted = 'http://127.0.0.1:8899'

  test('may be on this machine, for our account’s media alone', async () => {
    const own = `${trusted}/2010-04-01/Accounts/${accountSid}/Messages/MM1/Media/ME1`
    expect(await createFetcher({}, trusted).fetch(own)).toMatchObject({ kind: 'media' })
    expect(dialled).toEqual(['127.0.0.1 8899 null'])
    expect(asked[0]?.authorization).toMatch(/^Basic /u)
    for (const path of ['/fake/messages', '/2010-04-01/Accounts/AC2/Messages.json', '/']) {
      expect(await createFetcher({}, trusted).fetch(trusted + path)).toMatchObject({ reason: 'not-allowed' })
    }
    for (const other of ['http://127.0.0.1:8898', 'https://127.0.0.1:8899', 'http://localhost:8899']) {
      const url = own.replace(trusted, other)
      expect(await createFetcher({}, trusted).fetch(url)).toMatchObject({ reason: 'not-allowed' })
    }
    expect(dialled).toHaveLength(1)
  })

  test('leads nowhere else on this machine by a redirect', async () => {
    answer = redirect('http://127.0.0.1:6379/')
    const own = `${trusted}/2010-04-01/Accounts/${accountSid}/Messages/MM1/Media/ME1`
    expect(await createFetcher({}, trusted).fetch(own)).toMatchObject({ reason: 'not-allowed' })
    expect(dialled).toHaveLength(1)
  })
})
