export function findInstalledNatsServer(env: {
  readonly [name: string]: string | undefined
}): { readonly path: string; readonly sha256: string | null } | null
