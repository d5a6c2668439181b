/** Threads on states and transitions: those of what is selected, and all of them. */
import { useEffect, useState } from 'preact/hooks'
import type { View } from '../../../src/charts/library.ts'
import { CommentText } from './comment-text.tsx'
import { TestsOf } from './tests-of.tsx'
import { comment, readThreads, settle, type Thread, type Threads } from './review-api.ts'
import './review.css'
import { useWriter, WriterFields } from './writer-fields.tsx'

type ThreadsOf = {
  readonly threads: Threads | null
  readonly problem: string | null
  write(writing: Promise<Threads>): Promise<boolean>
}

/** Two lists of the page show the same threads. */
const listeners = new Set<(threads: Threads) => void>()

function useThreads(ref: string): ThreadsOf {
  const [threads, setThreads] = useState<Threads | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    let isOver = false
    const show = (next: Threads): void => {
      if (!isOver) setThreads(next)
    }
    listeners.add(show)
    readThreads(ref).then(show, (error: Error) => isOver || setProblem(error.message))
    return () => {
      isOver = true
      listeners.delete(show)
    }
  }, [ref])
  const write = async (writing: Promise<Threads>): Promise<boolean> => {
    try {
      const next = await writing
      for (const listener of listeners) listener(next)
      setProblem(null)
      return true
    } catch (error) {
      setProblem((error as Error).message)
      return false
    }
  }
  return { threads, problem, write }
}

/** Of one state or transition, with room for a new one. */
export function Comments({ view, about }: { readonly view: View; readonly about: string }) {
  const of = useThreads(view.ref)
  const here = of.threads?.items.filter(({ at }) => at === about) ?? []
  const isRemoved = view.comparison?.onlyBase.includes(about) === true
  return (
    <>
      <TestsOf view={view} about={about} />
      <section aria-label="Comments" class="comments">
        <h3>Comments</h3>
        {here.map((thread) => (
          <OneThread key={thread.id} chart={view.ref} thread={thread} of={of} />
        ))}
        {here.length === 0 && of.threads !== null && <p class="hint">None yet.</p>}
        {of.threads?.mayWrite === true && !isRemoved && (
          <Write
            of="comment"
            label="Comment"
            onWrite={async (body, writer) => of.write(comment(view.ref, { about }, body, writer))}
          />
        )}
        <Problem of={of} />
      </section>
    </>
  )
}

/** All of the machine, those that are open first, wherever they hang now. */
export function AllThreads({ view, onGo }: { readonly view: View; readonly onGo: (id: string) => void }) {
  const of = useThreads(view.ref)
  const items = (of.threads?.items ?? []).toSorted(
    (a, b) => Number(a.resolvedAt !== null) - Number(b.resolvedAt !== null),
  )
  const open = items.filter(({ resolvedAt }) => resolvedAt === null).length
  return (
    <section aria-label="All comments" class="comments">
      <h3>Comments</h3>
      {of.threads !== null && (
        <p>
          {items.length === 0
            ? 'None yet: select a state or transition to write one.'
            : `${open} open, ${items.length - open} resolved`}
        </p>
      )}
      <ul class="links">
        {items.map(({ id, at, subject, comments, resolvedAt }) => (
          <li key={id}>
            <button type="button" disabled={at === null} onClick={() => at !== null && onGo(at)}>
              {resolvedAt !== null && <span class="chip added">resolved</span>} <b>{subject}</b>
              <span class="goal">
                {comments[0]?.author}: {comments[0]?.body.slice(0, 120)}
                {at === null && ' (this version has no such state or transition any more)'}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <Problem of={of} />
    </section>
  )
}

function Problem({ of: { problem } }: { readonly of: ThreadsOf }) {
  return problem === null ? null : (
    <p class="problem" role="alert">
      {problem}
    </p>
  )
}

type ThreadProps = { readonly chart: string; readonly thread: Thread; readonly of: ThreadsOf }

function OneThread({ chart, thread, of }: ThreadProps) {
  const { id, comments, resolvedAt, resolvedBy } = thread
  const [isAnswering, setAnswering] = useState(false)
  const [writer] = useWriter()
  return (
    <article class="thread">
      {resolvedAt !== null && <p class="chip added">resolved by {resolvedBy}</p>}
      {comments.map(({ id: commentId, author, at, body }) => (
        <div key={commentId} class="comment">
          <p class="goal">
            <b>{author}</b> {new Date(at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}
          </p>
          <CommentText text={body} />
        </div>
      ))}
      {of.threads?.mayWrite === true && (
        <p class="buttons">
          <button
            type="button"
            class="secondary"
            onClick={() => setAnswering(!isAnswering)}
            aria-expanded={isAnswering}
          >
            Answer
          </button>
          <button
            type="button"
            class="secondary"
            disabled={writer.name === '' || writer.token === ''}
            onClick={() => void of.write(settle(chart, id, resolvedAt === null, writer))}
          >
            {resolvedAt === null ? 'Resolve' : 'Open again'}
          </button>
        </p>
      )}
      {isAnswering && (
        <Write
          of={`answer-${id}`}
          label="Answer"
          onWrite={async (body, by) => of.write(comment(chart, { threadId: id }, body, by))}
        />
      )}
    </article>
  )
}

type WriteProps = {
  readonly of: string
  readonly label: string
  readonly onWrite: (body: string, writer: { readonly name: string; readonly token: string }) => Promise<boolean>
}

function Write({ of, label, onWrite }: WriteProps) {
  const [body, setBody] = useState('')
  const [writer, changeWriter] = useWriter()
  const isReady = body.trim() !== '' && writer.name.trim() !== '' && writer.token !== ''
  const write = async (): Promise<void> => {
    if (isReady && (await onWrite(body, writer))) setBody('')
  }
  return (
    <form
      class="write"
      onSubmit={(event) => {
        event.preventDefault()
        void write()
      }}
    >
      <label class="line" for={of}>
        {label}
        <textarea
          id={of}
          rows={3}
          maxLength={4_000}
          placeholder="**bold**, *italic*, `code`, - list"
          value={body}
          onInput={(event) => setBody(event.currentTarget.value)}
        />
      </label>
      <WriterFields of={of} writer={writer} onChange={changeWriter} />
      <button type="submit" class="secondary" disabled={!isReady}>
        {label === 'Answer' ? 'Send answer' : 'Add comment'}
      </button>
    </form>
  )
}
