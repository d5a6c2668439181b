export const oldestNatsServer: string
export const downloadedNatsServer: string
export function readNatsServerVersion(binary: string): string | null
export function isNewEnough(version: string | null): boolean
export function compareVersions(a: string, b: string): number
