/** One chart with everything around it: toolbar, drawing or table, and the panel with its tabs. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Overlay } from '../../src/charts/drawing/overlay.ts'
import type { View } from '../../src/charts/library.ts'
import { foldingOfferedFrom } from '../../src/charts/fold-chart.ts'
import type { Address } from './address.ts'
import { readWalk, toStepsText, type ChartItem } from './api.ts'
import { Canvas, type Attention } from './canvas.tsx'
import { ChangesPanel } from './changes-panel.tsx'
import { DetailsPanel } from './details-panel.tsx'
import { findMatches } from './find-matches.ts'
import { FindingsPanel } from './findings-panel.tsx'
import { SimulatePanel } from './simulate-panel.tsx'
import { toSurroundings } from './surroundings.ts'
import { Legend } from './legend.tsx'
import { TableView } from './table-view.tsx'
import { Tabs } from './tabs.tsx'
import { Toolbar } from './toolbar.tsx'
import { useAsked } from './use-asked.ts'
import { useLazy } from './use-lazy.ts'
import { useClasses } from './use-classes.ts'
import { useKeys } from './use-keys.ts'
import { useLive } from './live/use-live.ts'
import type { Mapping } from './review/mapping.ts'
import type { Laid } from './review/overlays.ts'
import { useLaid } from './review/use-laid.ts'
import type { Stepper } from './review/replay.tsx'
import type { Go } from './use-address.ts'
import type { ReviewedWalk } from '../../src/charts/simulate/walk-chart.ts'

type Props = {
  readonly items: readonly ChartItem[]
  readonly shown: ChartItem
  readonly base: ChartItem | null
  readonly view: View
  readonly address: Address
  readonly go: Go
  readonly notes: readonly string[]
}

const loadReview = async () => import('./review/review-panel.tsx')
const loadLive = async () => import('./live/live-panel.tsx')

export function ChartDesk(props: Props) {
  const { items, shown, base, view, address, go } = props
  const { selected, search, steps, phase } = address
  const around = useMemo(() => toSurroundings(view.chart), [view.chart])
  const matches = useMemo(() => findMatches(view.chart, search), [view.chart, search])
  const isKnown = selected === null || around.state(selected) !== undefined || around.transition(selected) !== undefined
  const notes = isKnown
    ? props.notes
    : [...props.notes, `This chart has no ${selected}. The link may be of another version.`]
  const stepsText = toStepsText(steps)
  const isWalking = address.tab === 'simulate'
  const walk = useAsked<ReviewedWalk>(isWalking ? JSON.stringify([shown.ref, base?.ref, stepsText]) : null, async () =>
    readWalk(shown.ref, steps, base?.ref ?? null),
  )
  const [attention, setAttention] = useState<Attention>({ count: 0, id: null, takesFocus: false })
  const review = useLazy(address.tab === 'review', loadReview)
  const [parting, setParting] = useState<Overlay | null>(null)
  const isLive = address.tab === 'live' || address.layer === 'live'
  const live = useLive(isLive ? shown.ref : null, base?.ref ?? null, address.window)
  const livePart = useLazy(isLive, loadLive)
  const [token, setToken] = useState<Laid | null>(null)
  const laid = useLaid(view, address, parting, token ?? livePart?.layLive(view, live) ?? null)
  const overlay = laid?.overlay ?? null
  const [mapping, setMapping] = useState<Mapping | null>(null)
  const stepper = useRef<Stepper | null>(null)
  const searchField = useRef<HTMLInputElement>(null)
  const panel = useRef<HTMLElement>(null)

  const onGo = useCallback((id: string, takesFocus = false) => {
    go({ selected: id })
    setAttention(({ count }) => ({ count: count + 1, id, takesFocus }))
  }, [])
  const standing = isWalking ? (walk.answer?.points.at(-1)?.active.at(-1) ?? null) : null
  useEffect(() => {
    if (standing !== null) setAttention(({ count }) => ({ count: count + 1, id: standing, takesFocus: false }))
  }, [standing])
  const onFold = useCallback(
    (id: string) => {
      const folds = address.folds.includes(id) ? address.folds.filter((one) => one !== id) : [...address.folds, id]
      go({ folds, viewport: null }, 'push')
    },
    [address.folds],
  )
  const picking = mapping?.picking ?? null
  useEffect(() => {
    if (picking !== null) go({ isTable: false, phase: 'both' })
  }, [picking?.from])
  const toClass = useClasses(view, address, { matches, walk: isWalking ? walk.answer : null, picking })
  const onNextMatch = (by: 1 | -1): void => {
    const at = matches.indexOf(selected ?? '')
    const next = matches[(at + by + matches.length) % matches.length]
    if (next !== undefined) onGo(next)
  }
  const onStepChange = (by: 1 | -1): void => {
    if (stepper.current !== null) return stepper.current(by)
    const changes = view.comparison?.changes ?? []
    const at = changes.findIndex(({ ids }) => ids.includes(selected ?? ''))
    const next = changes[(at + by + changes.length) % changes.length]?.ids[0]
    if (next === undefined) return
    go({ tab: 'changes' })
    onGo(next)
  }
  const onCancel = picking === null ? null : () => picking.choose(null)
  const onBack = (): void => void (selected !== null && onGo(selected, true))
  useKeys({ go, address, searchField, panel, onStepChange, onBack, onCancel })
  const openFindings = view.findings.filter(({ allowedBecause }) => allowedBecause === null).length
  return (
    <div class="desk">
      <Toolbar
        items={items}
        shown={shown}
        base={base}
        address={address}
        go={go}
        matchCount={matches.length}
        searchField={searchField}
        onNextMatch={onNextMatch}
      />
      <main class={`stage phase-${phase}`}>
        {notes.map((note) => (
          <p key={note} class="stage-note" role="alert">
            {note}
          </p>
        ))}
        {view.chart.states.length > foldingOfferedFrom && view.folded.length === 0 && (
          <p class="stage-note">
            This chart is large.{' '}
            <button type="button" class="link" onClick={() => go({ folds: view.foldable, viewport: null }, 'push')}>
              Fold all states
            </button>
          </p>
        )}
        {picking !== null && (
          <p class="picking" role="status">
            Where does <b>{picking.name}</b> go on? Click a state, or go to it with the arrow keys and press Enter.{' '}
            <button type="button" class="link" onClick={() => picking.choose(null)}>
              Cancel
            </button>
          </p>
        )}
        {address.isTable ? (
          <TableView view={view} overlay={overlay} selected={selected} toClass={toClass} onSelect={(id) => onGo(id)} />
        ) : (
          <Canvas
            view={view}
            overlay={overlay}
            around={around}
            selected={selected}
            toClass={toClass}
            viewport={address.viewport}
            onViewport={(viewport) => go({ viewport })}
            onSelect={(id) => go({ selected: id, ...(address.tab === 'findings' && { tab: 'details' }) })}
            onOpen={(id) => {
              go({ selected: id, tab: 'details' })
              requestAnimationFrame(() => panel.current?.focus())
            }}
            onFold={onFold}
            choosing={picking}
            attention={attention}
          >
            {review !== null && mapping !== null && <review.MapWays picture={view.picture} mapping={mapping} />}
          </Canvas>
        )}
        {laid !== null && <Legend items={laid.legend} />}
      </main>
      <aside class="panel" aria-label="Panel">
        <Tabs tab={address.tab} hasComparison={view.comparison !== null} findings={openFindings} go={go} />
        <section
          class="panel-body"
          ref={panel}
          tabIndex={-1}
          id="panel"
          role="tabpanel"
          aria-labelledby={`tab-${address.tab}`}
        >
          {address.tab === 'details' && (
            <DetailsPanel view={view} around={around} selected={selected} onGo={onGo} onFold={onFold} />
          )}
          {review !== null && address.tab === 'review' && (
            <review.ReviewPanel
              view={view}
              onGo={onGo}
              onList={(id) => {
                onGo(id)
                go({ tab: 'live', selected: id, over: null, conversation: null }, 'push')
              }}
              onParting={setParting}
              onMapping={setMapping}
              stepper={stepper}
            />
          )}
          {livePart !== null && address.tab === 'live' && (
            <livePart.LivePanel view={view} live={live} address={address} go={go} onGo={onGo} onToken={setToken} />
          )}
          {address.tab === 'findings' && <FindingsPanel findings={view.findings} onGo={onGo} />}
          {address.tab === 'changes' &&
            (view.comparison === null ? (
              <p class="hint">Choose a version to compare with, at the top.</p>
            ) : (
              <ChangesPanel
                comparison={view.comparison}
                selected={selected}
                phase={phase}
                onPhase={(next) => go({ phase: next })}
                onGo={onGo}
              />
            ))}
          {isWalking && (
            <SimulatePanel
              chart={shown.ref}
              root={view.chart.root}
              around={around}
              steps={steps}
              walk={walk.answer}
              problem={walk.problem}
              onSteps={(next) => go({ steps: next }, 'push')}
            />
          )}
        </section>
      </aside>
    </div>
  )
}
