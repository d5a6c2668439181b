/** The files behind the fake Twilio's media addresses: in memory, the newest ones. */
import { randomBytes } from 'node:crypto'

export type StoredMedia = { readonly contentType: string; readonly bytes: Buffer; readonly delayMs: number }

export type MediaStore = {
  /** Answers the file's sid, `ME…`: this one, or a new one. */
  add(media: StoredMedia, sid?: string): string
  find(sid: string): StoredMedia | null
}

const filesMax = 2_000

export function createMediaStore(): MediaStore {
  const files = new Map<string, StoredMedia>()
  return {
    add(media, sid = `ME${randomBytes(16).toString('hex')}`) {
      const [oldest] = files.keys()
      if (files.size >= filesMax && oldest !== undefined) files.delete(oldest)
      files.set(sid, media)
      return sid
    },
    find: (sid) => files.get(sid) ?? null,
  }
}
