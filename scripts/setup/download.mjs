/** Bounded downloads: every one has a limit in milliseconds, and a file is kept only with the sha256 it must have. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** The text behind a URL; throws when it does not answer with it in time. */
export async function downloadText(url, limitMs) {
  const response = await request(url, AbortSignal.timeout(limitMs))
  return await response.text()
}

/**
 * Downloads into `path`. `connectMs` bounds the wait for the answer's beginning, `limitMs` the whole.
 * Throws, and leaves no file, when the content's sha256 is another one.
 */
export async function downloadFile(url, path, { sha256, connectMs, limitMs }) {
  const slow = AbortSignal.timeout(limitMs)
  const silent = new AbortController()
  const timer = setTimeout(() => silent.abort(new Error(`${url} did not answer within ${connectMs} ms`)), connectMs)
  try {
    const response = await request(url, AbortSignal.any([slow, silent.signal]))
    clearTimeout(timer)
    const hash = createHash('sha256')
    const hashing = new Transform({
      transform(chunk, _encoding, done) {
        hash.update(chunk)
        done(null, chunk)
      },
    })
    await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(path), { signal: slow })
    const got = hash.digest('hex')
    if (got !== sha256) throw new Error(`${url} has the sha256 ${got} instead of ${sha256}`)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function request(url, signal) {
  const response = await fetch(url, { signal, redirect: 'follow' })
  if (!response.ok) throw new Error(`${url} answered ${response.status}`)
  return response
}
