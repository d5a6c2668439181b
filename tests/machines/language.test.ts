import { describe, expect, test } from 'vitest'

import { detectLanguage, isLanguage } from '../../src/machines/conversation/language.ts'

describe('the language of a message', () => {
  test.each([
    ['pt', 'Olá, quero saber do meu pedido'],
    ['pt', 'vocês abrem hoje?'],
    ['pt', 'amanhã cedo'],
    ['en', 'hello, where is my order?'],
    ['en', 'What time do you open today?'],
    ['en', 'thanks, bye'],
    ['es', 'hola, necesito ayuda con mi pedido'],
    ['es', '¿cuándo abren?'],
    ['es', 'mañana'],
  ])('is %s in "%s"', (language, body) => {
    expect(detectLanguage(body)).toBe(language)
  })

  test.each(['', '4512', '👍', 'Maria Silva', 'ok'])('is not seen in "%s"', (body) => {
    expect(detectLanguage(body)).toBeNull()
  })

  test('is not seen in a message that could be either of two', () => {
    for (const body of ['pedido', 'quero hello', 'gracias hello', 'obrigado gracias']) {
      expect(detectLanguage(body), body).toBeNull()
    }
  })

  test('is told by letters that only one of them has, more than by a word', () => {
    expect(detectLanguage('hello São João')).toBe('pt')
    expect(detectLanguage('hello señor')).toBe('es')
    expect(detectLanguage('são señor')).toBeNull()
  })

  test('is that of the most words', () => {
    expect(detectLanguage('hello, quero meu pedido')).toBe('pt')
    expect(detectLanguage('where is my order, amigo? gracias')).toBe('en')
  })

  test('is read off the beginning of a long message', () => {
    const hidden = '- '.repeat(200)
    expect(detectLanguage(`hello ${hidden} quero meu pedido`)).toBe('en')
    expect(detectLanguage(`${hidden}quero meu pedido`)).toBeNull()
  })
})

test('three languages are spoken here', () => {
  for (const language of ['pt', 'en', 'es']) expect(isLanguage(language)).toBe(true)
  for (const language of ['fr', 'PT', '', null, undefined, 7]) expect(isLanguage(language)).toBe(false)
})
