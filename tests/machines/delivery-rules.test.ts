import { describe, expect, test } from 'vitest'

import { isUnreachable } from '../../src/machines/conversation/delivery-failures.ts'
import { deliveryRules, toDeliveryRule } from '../../src/machines/delivery-rules.ts'
import type { DeliveryAction } from '../../src/machines/delivery-rules.ts'

/** Of every code of the provider that we know, written down a second time on purpose. */
const expected: { readonly [kind in DeliveryAction['kind']]: string } = {
  'close-window': '63016',
  retry: '63017 63018 131056 130429 20429 21611 30001 63009 63010 63012 30410',
  'bad-address': '63024 63003 21211 21614 21612 30005 30006',
  'opt-out': '21610 63014 63033',
  'pause-sender': '63001 63007 63008 63020 63051 63038 30034 20003',
  split: '21617',
  'template-alarm': '63027 63028 63041 21654 21655 21656',
  alarm: '14107 21619 63031 20404 21408 21606 21212 21608',
  'tell-operator': '63032 30003 63015 63013 63005 63021 63019 21620 30004 30007 30008',
}

describe('the table of failures', () => {
  const rows = Object.entries(expected).flatMap(([kind, codes]) =>
    codes.split(' ').map((code) => [code, kind] as const),
  )

  test.each(rows)('%s is answered by %s', (code, kind) => {
    expect(deliveryRules[code]?.action.kind).toBe(kind)
    expect(deliveryRules[code]?.meaning).toMatch(/^(?:[a-z]|WhatsApp).{10,}[^.]$/u)
  })

  test('has no other rows', () => {
    expect(Object.keys(deliveryRules).toSorted()).toEqual(rows.map(([code]) => code).toSorted())
  })

  test.each(['99999', null, '', '__proto__', 'constructor'])(
    'the unknown code %j is told, and nothing else is done',
    (code) => {
      expect(toDeliveryRule(code).action).toEqual({ kind: 'tell-operator' })
    },
  )

  test('retries wait longer each time, and end', () => {
    for (const { action } of Object.values(deliveryRules)) {
      if (action.kind !== 'retry') continue
      expect(action.afterMs).toEqual(action.afterMs.toSorted((a, b) => a - b))
      expect(action.afterMs.length).toBeLessThan(6)
    }
  })

  test('failures on the way are tried again soon, limits patiently, and a pair of numbers slowly', () => {
    const waits = (code: string) => {
      const { action } = toDeliveryRule(code)
      return action.kind === 'retry' ? action.afterMs.map((ms) => ms / 1_000) : []
    }
    for (const code of ['20429', '63009', '63010', '63012', '30410']) expect(waits(code), code).toEqual([5, 30, 120])
    for (const code of ['63017', '63018', '21611', '30001']) expect(waits(code), code).toEqual([60, 300, 1_800, 7_200])
    for (const code of ['131056', '130429']) expect(waits(code), code).toEqual([10, 30, 120, 600])
  })

  test('a sender pauses for five minutes, or for an hour when its account is at an end', () => {
    const minutes = (code: string) => {
      const { action } = toDeliveryRule(code)
      return action.kind === 'pause-sender' ? action.forMs / 60_000 : 0
    }
    for (const code of ['63001', '63007', '63008', '63020', '20003']) expect(minutes(code), code).toBe(5)
    for (const code of ['63051', '63038', '30034']) expect(minutes(code), code).toBe(60)
  })

  test('an unknown code is told as one', () => {
    expect(toDeliveryRule('99999').meaning).toBe('it was not delivered, for a reason that is new to us')
  })

  test('a bad address ends the conversation, when the message is really lost', () => {
    const told = { type: 'delivery.updated', effectId: null, errorCode: '63024', at: 0 } as const
    expect(isUnreachable({ ...told, status: 'undelivered' })).toBe(true)
    expect(isUnreachable({ ...told, status: 'failed' })).toBe(true)
    for (const status of ['sent', 'delivered', 'canceled'] as const)
      expect(isUnreachable({ ...told, status })).toBe(false)
    expect(isUnreachable({ ...told, status: 'failed', errorCode: '63016' })).toBe(false)
  })
})
