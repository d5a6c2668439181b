/**
 * `fetch` for an endpoint that is not trusted to end: an answer is read up to `bytesMax` (unpacked), then the
 * connection is closed. A redirect is an answer like any other; following it would carry the key elsewhere.
 */
export class AnswerTooLong extends Error {}

export function createBoundedFetch(bytesMax: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' })
    const { status, statusText, headers } = response
    const body = await readBounded(response, bytesMax)
    return new Response(body, { status, statusText, headers })
  }
}

/** Null where an answer of this status may have no body. */
async function readBounded({ body, status }: Response, bytesMax: number): Promise<Blob | null> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the body.
    if (bytes > bytesMax) throw new AnswerTooLong(`the answer is longer than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return status === 204 || status === 304 ? null : new Blob(chunks)
}
