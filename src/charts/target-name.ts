/** A state's place below the root, as a reader says it: `PROGRESS.waiting`. */
export function toTargetName(id: string, rootId: string): string {
  return id.startsWith(`${rootId}.`) ? id.slice(rootId.length + 1) : id
}
