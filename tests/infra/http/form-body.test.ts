import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldsMax, parseForm } from '../../../src/infra/http/form-body.ts'

describe('a form', () => {
  test('of well-formed text is read as URLSearchParams reads it', () => {
    const pair = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 20 }), (pairs) => {
        const body = new URLSearchParams(pairs).toString()
        expect(toPairs(read(body))).toEqual(toPairs(group(new URLSearchParams(body))))
      }),
      { numRuns: 1_000 },
    )
  })

  test.each<[string, object]>([
    ['', {}],
    ['&&', {}],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['=', { '': '' }],
    ['a=b=c&d', { a: 'b=c', d: '' }],
    ['a=1&a=1&a=2', { a: ['1', '1', '2'] }],
    ['a=+b%20c+', { a: ' b c ' }],
    ['a=%00', { a: '\0' }],
    ['a=%F0%9F%91%8D', { a: '👍' }],
    ['a=👍', { a: '👍' }],
    ['a=%EF%BB%BFx', { a: '\uFEFFx' }],
    ['toString=1&constructor=2', { toString: '1', constructor: '2' }],
  ])('%j is %j', (body, form) => {
    expect({ ...read(body) }).toEqual(form)
  })

  test.each(['a=%', 'a=%Z1', 'a=%FF%FE', 'a=%C0%80', 'a=%E2%82', 'a=%F5%80%80%80', 'a=%ED%A0%BD%FF', '%ZZ=1'])(
    '%j is unparsable',
    (body) => {
      expect(parseForm(Buffer.from(body))).toEqual({ kind: 'unparsable' })
    },
  )

  test('of bytes that are not UTF-8 is unparsable', () => {
    expect(parseForm(Buffer.from([0x61, 0x3d, 0xff]))).toEqual({ kind: 'unparsable' })
  })

  test('with half an emoji keeps the half', () => {
    expect(read('a=x%ED%A0%BDy')['a']).toBe('x\uD83Dy')
    expect(read('a=%ed%b1%8d')['a']).toBe('\uDC4D')
    expect(read('a=%ED%A0%BD%ED%B1%8D')['a']).toBe('👍')
  })

  test('with a field named __proto__ pollutes nothing', () => {
    const form = read('__proto__=1&__proto__=2')
    expect(Object.getOwnPropertyDescriptor(form, '__proto__')?.value).toEqual(['1', '2'])
    expect(Object.getPrototypeOf(form)).toBeNull()
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('has at most so many fields', () => {
    const fields = (count: number) => Buffer.from(Array.from({ length: count }, (_, index) => `f${index}=1`).join('&'))
    expect(parseForm(fields(fieldsMax))).toMatchObject({ kind: 'form' })
    expect(parseForm(fields(fieldsMax + 1))).toEqual({ kind: 'too-many-fields' })
  })
})

function read(body: string) {
  const result = parseForm(Buffer.from(body))
  if (result.kind !== 'form') throw new Error(`expected a form: ${result.kind}`)
  return result.form
}

function group(params: URLSearchParams) {
  const names = [...new Set(params.keys())]
  return Object.fromEntries(
    names.map((name) => [name, params.getAll(name).length > 1 ? params.getAll(name) : (params.get(name) ?? '')]),
  )
}

function toPairs(form: { readonly [field: string]: unknown }) {
  return Object.keys(form)
    .toSorted()
    .map((name) => [name, form[name]])
}
