/** The little Markdown of comments, as data. Every character of the text is kept as text, but for the signs of a rule. */
export type Span = {
  readonly kind: 'text' | 'bold' | 'italic' | 'code' | 'link'
  readonly text: string
  /** Of a link: http or https, and nothing else. */
  readonly href?: string
}

export type Block =
  | { readonly kind: 'paragraph' | 'quote'; readonly spans: readonly Span[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Span[])[] }
  | { readonly kind: 'code'; readonly text: string }

export function parseComment(text: string): readonly Block[] {
  const blocks: Block[] = []
  // Every second part stands between fences.
  for (const [place, part] of text.split(/^```[^\n]*\n?/mu).entries()) {
    if (place % 2 === 1) blocks.push({ kind: 'code', text: part.replace(/\n$/u, '') })
    else for (const block of part.split(/\n\s*\n/u)) if (block.trim() !== '') blocks.push(...parseBlock(block))
  }
  return blocks
}

function parseBlock(text: string): readonly Block[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.every((line) => /^\s*[-*] /u.test(line))) {
    return [{ kind: 'list', items: lines.map((line) => parseSpans(line.replace(/^\s*[-*] /u, ''))) }]
  }
  if (lines.every((line) => line.startsWith('>'))) {
    return [{ kind: 'quote', spans: parseSpans(lines.map((line) => line.replace(/^> ?/u, '')).join('\n')) }]
  }
  return [{ kind: 'paragraph', spans: parseSpans(text.trim()) }]
}

const rule =
  /`(?<code>[^`\n]+)`|\*\*(?<bold>[^*\n]+)\*\*|\*(?<italic>[^*\s][^*\n]*)\*|\[(?<name>[^\]\n]+)\]\((?<target>https?:\/\/[^\s()]+)\)|(?<bare>https?:\/\/[^\s<>()]+)/gu

function parseSpans(text: string): readonly Span[] {
  const spans: Span[] = []
  let end = 0
  for (const match of text.matchAll(rule)) {
    if (match.index > end) spans.push({ kind: 'text', text: text.slice(end, match.index) })
    spans.push(toSpan(match.groups ?? {}))
    end = match.index + match[0].length
  }
  if (end < text.length) spans.push({ kind: 'text', text: text.slice(end) })
  return spans
}

function toSpan({ code, bold, italic, name, target, bare }: { readonly [group: string]: string | undefined }): Span {
  if (code !== undefined) return { kind: 'code', text: code }
  if (bold !== undefined) return { kind: 'bold', text: bold }
  if (italic !== undefined) return { kind: 'italic', text: italic }
  if (target !== undefined) return { kind: 'link', text: name ?? target, href: target }
  return { kind: 'link', text: bare ?? '', href: bare ?? '' }
}
