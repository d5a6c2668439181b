/** A temporary copy of what a mutant may change: the repository itself never holds a mistake, nor a switch for one. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const copied = ['src', 'tests', 'supabase', 'scripts', 'vitest.config.ts', 'tsconfig.json', 'package.json']

export type MutatedCopy = {
  readonly folder: string
  /** Applies one mutant. Throws when its text does not stand in the file exactly once. */
  apply(mutant: Mutant): Promise<void>
  /** The file as it was. */
  restore(mutant: Mutant): Promise<void>
  remove(): Promise<void>
}

export async function createMutatedCopy(): Promise<MutatedCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'duologue-mutant-'))
  for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    apply: async ({ name, file, from, to }) => {
      const text = await readFile(join(root, file), 'utf8')
      const places = text.split(from).length - 1
      if (places !== 1)
        throw new Error(`the mutant '${name}' no longer applies: its text stands ${places} times in ${file}`)
      await writeFile(
        join(folder, file),
        text.replace(from, () => to),
      )
    },
    restore: ({ file }) => cp(join(root, file), join(folder, file)),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
