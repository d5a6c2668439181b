/** Machines beside our own are loaded by name, and what is none stops the start with a sentence. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { loadMachines } from '../../src/parts/machines.ts'

let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duologue-machines-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

async function moduleOf(name: string, text: string): Promise<string> {
  const file = join(folder, `${name}.mjs`)
  await writeFile(file, text)
  return file
}

test('without any there are those of the build', async () => {
  expect(Object.keys(await loadMachines([]))).toEqual(['conversation'])
})

test('the example stands beside them', async () => {
  const machines = await loadMachines(['examples/order/order-registration.ts'])
  expect(Object.keys(machines)).toEqual(['conversation', 'order'])
  expect(machines['order']?.machine.version).toBe('1')
})

test('one that is there already is refused', async () => {
  const order = 'examples/order/order-registration.ts'
  await expect(loadMachines([order, `./${order}`])).rejects.toThrow(/^the machine 'order' of .* is there already$/u)
})

test.each([
  ['nothing', 'export const machine = 1', 'it exports no registration'],
  ['text', "export const registration = { machine: 'order' }", 'registration.machine is no XState machine'],
  [
    'unversioned',
    "export const registration = { machine: { id: 'x', transition() {} } }",
    'registration.machine has no version',
  ],
  [
    'half',
    "export const registration = { machine: { id: 'x', version: '1', transition() {} }, effectActions: [] }",
    'registration.opensOn is no function',
  ],
])('a module with %s is refused', async (name, text, reason) => {
  const file = await moduleOf(name, text)
  await expect(loadMachines([file])).rejects.toThrow(`the module ${file} is no machine: ${reason}`)
})

test('a module that is not there is refused by name', async () => {
  await expect(loadMachines(['./not-there.ts'])).rejects.toThrow('could not load the machine ./not-there.ts')
})
