/**
 * The names on the wire (DESIGN section 1; `docs/nats.md` tells other programs):
 *
 *   published   duologue.in.<kind>.<business token>.<user token>
 *   stored      duologue.log.<partition>.<kind>.<business token>.<user token>
 *
 * The stream itself maps the one to the other, so publishers know nothing of partitions.
 */
export const streamName = 'DUOLOGUE'
export const publishedSubjects = 'duologue.in.*.*.*'

export function toPublishedSubject(kind: string, sessionKey: string): string {
  return `duologue.in.${kind}.${sessionKey}`
}

export function toPartitionFilter(partition: number): string {
  return `duologue.log.${partition}.>`
}

/** The server hashes the two address tokens, so that all events of a session have one partition. */
export function toSubjectTransform(partitions: number): { src: string; dest: string } {
  return {
    src: publishedSubjects,
    dest: `duologue.log.{{partition(${partitions},2,3)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}`,
  }
}

/** Partition, kind and session key of a stored subject. Throws for one that the stream cannot have made. */
export function readStoredSubject(subject: string): { partition: number; kind: string; sessionKey: string } {
  const [, , partition, kind, business, user] = subject.split('.')
  if (partition === undefined || kind === undefined || business === undefined || user === undefined) {
    throw new Error(`could not read the subject ${subject}`)
  }
  return { partition: Number(partition), kind, sessionKey: `${business}.${user}` }
}
