import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { downloadFile, downloadText } from '../../scripts/setup/download.mjs'

const content = 'the content'
const sha256 = createHash('sha256').update(content).digest('hex')
const limits = { sha256, connectMs: 300, limitMs: 600 }

let server: Server
let base: string
let folder: string
let path: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'duologue-test-download-'))
  path = join(folder, 'file')
  server = createServer((request, response) => {
    if (request.url === '/whole') response.end(content)
    if (request.url === '/missing') response.writeHead(404).end()
    if (request.url === '/endless') response.write('a beginning, and no end')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

test('a file with the right sha256 is kept', async () => {
  await downloadFile(`${base}/whole`, path, limits)
  expect(readFileSync(path, 'utf8')).toBe(content)
})

test.each([
  ['another content than promised', '/whole', { ...limits, sha256: '0'.repeat(64) }, /has the sha256/u],
  ['an error answer', '/missing', limits, /answered 404/u],
  ['no answer', '/silent', limits, /did not answer within 300 ms/u],
  ['an answer without an end', '/endless', limits, /abort|timeout/iu],
])('%s leaves no file', async (_, route, bounds, message) => {
  await expect(downloadFile(`${base}${route}`, path, bounds)).rejects.toThrow(message)
  expect(existsSync(path)).toBe(false)
})

test('a text that does not come in time is refused', async () => {
  await expect(downloadText(`${base}/silent`, 200)).rejects.toThrow(/timeout/iu)
})
