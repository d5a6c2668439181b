/** Elements written down as XML. Components have to be pure functions: nothing here keeps state. */
import { Fragment, isValidElement } from 'preact'
import type { ComponentChildren, VNode } from 'preact'

export function toMarkup(node: ComponentChildren): string {
  if (node === null || node === undefined || typeof node === 'boolean') return ''
  if (Array.isArray(node)) return node.map(toMarkup).join('')
  if (!isValidElement(node)) return escape(String(node as string | number))
  const { type, props } = node as VNode<{ children?: ComponentChildren }>
  if (type === Fragment) return toMarkup(props.children)
  if (typeof type === 'function') return toMarkup((type as (given: object) => ComponentChildren)(props))
  const { children, ...attributes } = props
  const written = Object.entries(attributes).map(([name, value]) => toAttribute(name, value))
  const inner = toMarkup(children)
  return inner === '' ? `<${type}${written.join('')}/>` : `<${type}${written.join('')}>${inner}</${type}>`
}

function toAttribute(name: string, value: unknown): string {
  if (value === null || value === undefined || value === false || typeof value === 'function') return ''
  return ` ${name}="${escape(`${value as string | number}`)}"`
}

function escape(text: string): string {
  const clean = text.replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\u{fffd}')
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
