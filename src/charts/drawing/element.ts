/** One SVG element. Plain calls in place of JSX, since Node runs these files as they are. */
import { h } from 'preact'
import type { ComponentChildren, VNode } from 'preact'

export type Drawn = VNode

/** Preact's own types want each element's props to be those of HTML. */
export function element(type: string, props: object | null, ...children: readonly ComponentChildren[]): Drawn {
  return h(type as never, props as never, ...children)
}
