export function startTimeOf(pid: number): string | null
export function commandLineOf(pid: number): string | null
export function isAlive(process: { readonly pid: number; readonly startTime: string | null }): boolean
