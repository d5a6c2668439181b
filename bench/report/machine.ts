/** What the benchmark ran on: nothing that names the host. */
import { cpus, platform, release, totalmem } from 'node:os'

export type Machine = {
  readonly cpu: string
  readonly cpus: number
  readonly memoryGib: number
  readonly system: string
  readonly node: string
}

export function describeMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cpus: all.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release().split('-')[0]}`,
    node: process.version,
  }
}

/** `AMD EPYC` → `amd-epyc`, for a file's name. */
export function toCpuSlug({ cpu, cpus: count }: Machine): string {
  const words = cpu.toLowerCase().replaceAll(/\((?:r|tm)\)|@.*$|\b(?:cpu|processor|\d+-core)\b/gu, '')
  const slug = words.replaceAll(/[^a-z0-9]+/gu, '-').replaceAll(/^-|-$/gu, '')
  return `${slug || 'cpu'}-x${count}`
}
