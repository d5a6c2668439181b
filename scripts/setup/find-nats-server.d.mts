export type FoundNatsServer = { readonly path: string; readonly sha256: string | null }
export function findInstalledNatsServer(env: { readonly [name: string]: string | undefined }): FoundNatsServer | null
export function isIntact(found: FoundNatsServer): boolean
