/** The files behind the fake Twilio's media addresses: in memory, the newest ones. */
import { randomBytes } from 'node:crypto'

export type StoredMedia = { readonly contentType: string; readonly bytes: Buffer; readonly delayMs: number }

export type MediaStore = {
  /** Answers the file's sid, `ME…`. */
  add(media: StoredMedia): string
  find(sid: string): StoredMedia | null
}

const filesMax = 200

export function createMediaStore(): MediaStore {
  const files = new Map<string, StoredMedia>()
  return {
    add(media) {
      const [oldest] = files.keys()
      if (files.size >= filesMax && oldest !== undefined) files.delete(oldest)
      const sid = `ME${randomBytes(16).toString('hex')}`
      files.set(sid, media)
      return sid
    },
    find: (sid) => files.get(sid) ?? null,
  }
}
