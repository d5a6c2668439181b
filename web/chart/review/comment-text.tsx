/**
 * A comment's Markdown as elements: paragraphs, lists, quotes, code, bold, italic, links to http and https. There is no
 * HTML in it: what looks like some is text, since nothing here ever becomes markup but by these rules.
 */
import { parseComment, type Block, type Span } from './parse-comment.ts'

export function CommentText({ text }: { readonly text: string }) {
  return (
    <div class="comment-text">
      {parseComment(text).map((block, place) => (
        <BlockView key={place} block={block} />
      ))}
    </div>
  )
}

function BlockView({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case 'code':
      return <pre>{block.text}</pre>
    case 'list':
      return (
        <ul>
          {block.items.map((spans, place) => (
            <li key={place}>
              <Spans spans={spans} />
            </li>
          ))}
        </ul>
      )
    case 'quote':
      return (
        <blockquote>
          <Spans spans={block.spans} />
        </blockquote>
      )
    case 'paragraph':
      return (
        <p>
          <Spans spans={block.spans} />
        </p>
      )
  }
}

function Spans({ spans }: { readonly spans: readonly Span[] }) {
  return (
    <>
      {spans.map(({ kind, text, href }, place) => {
        if (kind === 'bold') return <b key={place}>{text}</b>
        if (kind === 'italic') return <i key={place}>{text}</i>
        if (kind === 'code') return <code key={place}>{text}</code>
        if (kind === 'link') {
          return (
            <a key={place} href={href ?? ''} target="_blank" rel="noreferrer noopener nofollow">
              {text}
            </a>
          )
        }
        return text
      })}
    </>
  )
}
