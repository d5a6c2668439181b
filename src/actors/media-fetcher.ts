/** The one way in which a message's media is read: everything that wants its bytes asks here (`infra/media`). */

export type MediaFamily = 'image' | 'audio' | 'video' | 'document'

export type MediaRefusal =
  /** The address is not one that is fetched from. */
  | 'not-allowed'
  /** The provider has it no more. */
  | 'gone'
  | 'too-large'
  /** Not of a kind that is taken, or not what it says it is. */
  | 'wrong-type'
  | 'timeout'
  /** Too many are being fetched. */
  | 'busy'
  | 'unreachable'
  | 'aborted'

export type FetchedMedia =
  | {
      readonly kind: 'media'
      readonly bytes: Uint8Array<ArrayBuffer>
      readonly contentType: string
      readonly family: MediaFamily
    }
  /** `message` names no address: it may be logged. */
  | { readonly kind: 'refused'; readonly reason: MediaRefusal; readonly message: string }

/** Each business address has its provider's account, and nobody reads what is of another one's. */
export interface MediaOfAccounts {
  of(businessAddress: string): MediaFetcher
}

export interface MediaFetcher {
  /** Never throws for what the world does. */
  fetch(url: string, signal?: AbortSignal): Promise<FetchedMedia>
}
