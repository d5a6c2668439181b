import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import twilio from 'twilio'
import { expect, onTestFinished, test } from 'vitest'

import { readAnswer } from '../../bench/load/http-connection.ts'
import { authToken } from '../../bench/load/identities.ts'
import { describeRequest, prepareRequests } from '../../bench/load/prepare-requests.ts'
import { sendClosedLoop } from '../../bench/load/send-closed-loop.ts'
import { readProcess } from '../../bench/measure/processes.ts'
import { toMedian, toPercentile } from '../../bench/measure/statistics.ts'
import { readOptions } from '../../bench/options.ts'

const webhookUrl = 'http://127.0.0.1:4000/webhooks/twilio/messages'

test('a prepared request is a signed form of seventeen fields and about 300 bytes of content', () => {
  const load = prepareRequests({ series: '1', webhookUrl, conversations: 10, requestsMax: 3 })
  const [head = '', body = ''] = load.requests[2]!.toString().split('\r\n\r\n')
  const form = Object.fromEntries(new URLSearchParams(body))
  const signature = /^X-Twilio-Signature: (\S+)$/mu.exec(head)?.[1] ?? ''
  expect(Object.keys(form)).toHaveLength(17)
  expect(twilio.validateRequest(authToken, signature, webhookUrl, form)).toBe(true)
  expect(describeRequest(webhookUrl).contentBytes).toBeGreaterThan(280)
  expect(describeRequest(webhookUrl).contentBytes).toBeLessThan(340)
})

test('the same conversations come in the same order in every run', () => {
  const specification = { series: '1', webhookUrl, conversations: 1_000, requestsMax: 50 } as const
  expect(prepareRequests(specification).users).toEqual(prepareRequests(specification).users)
  expect(new Set(prepareRequests(specification).users).size).toBeGreaterThan(40)
})

test('an answer is complete with the last byte of its body', () => {
  const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\nhello')
  expect(readAnswer(answer.subarray(0, 30))).toBeNull()
  expect(readAnswer(answer.subarray(0, -1))).toBeNull()
  expect(readAnswer(answer)).toEqual({ status: 200, bytes: answer.length })
})

test('every request of a closed loop is sent once, and only a 200 acknowledges it', async () => {
  let answered = 0
  const server = createServer((socket) =>
    socket.on('data', () => {
      answered += 1
      socket.write(`HTTP/1.1 ${answered % 5 === 0 ? '503 No' : '200 OK'}\r\ncontent-length: 2\r\n\r\nok`)
    }),
  ).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => {
    server.once('listening', resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const load = prepareRequests({ series: '1', webhookUrl: url, conversations: 3, requestsMax: 100 })
  const result = await sendClosedLoop(url, load, { seconds: 5, connections: 8 })
  expect(answered).toBe(100)
  expect(result.sent).toBe(100)
  expect(result.acknowledgedAtMs.filter((at) => !Number.isNaN(at))).toHaveLength(80)
  expect(result.failures).toEqual({ '503': 20 })
})

test('a median is the middle, or the mean of the two in the middle', () => {
  expect(toMedian([3, 1, 2])).toBe(2)
  expect(toMedian([4, 1, 2, 3])).toBe(2.5)
})

test('a percentile is a value that was measured', () => {
  const values = Float64Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(toPercentile(values, 0.5)).toBe(100)
  expect(toPercentile(values, 0.99)).toBe(198)
  expect(toPercentile(Float64Array.of(Number.NaN, 7), 0.99)).toBe(7)
})

test.runIf(process.platform === 'linux')('the CPU time of a process is what it used', () => {
  const before = readProcess(process.pid)
  const used = process.cpuUsage()
  for (const end = performance.now() + 150; performance.now() < end;) Math.sqrt(end)
  const { user, system } = process.cpuUsage(used)
  const seconds = (readProcess(process.pid)?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0)
  expect(Math.abs(seconds - (user + system) / 1e6)).toBeLessThan(0.05)
})

test('only the named stacks and loads are measured', () => {
  expect([...readOptions(['--only', 'duologue'])!.only]).toEqual(['duologue', 'many', 'hot'])
  expect([...readOptions(['--only', 'hot,heap'])!.only].toSorted()).toEqual(['duologue', 'heap', 'hot', 'row-lock'])
  expect(() => readOptions(['--only', 'everything'])).toThrow('--only takes')
})

test('a quick or partial benchmark publishes nothing', () => {
  expect(readOptions([])!.isPublished).toBe(true)
  expect(readOptions(['--quick'])!.isPublished).toBe(false)
  expect(readOptions(['--only', 'hot'])!.isPublished).toBe(false)
})
