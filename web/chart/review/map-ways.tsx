/** The migration map over the picture: an arrow for each state that goes on as another one; one follows the mouse. */
import { useEffect, useRef } from 'preact/hooks'
import { toHeadPath, toWayPath } from '../../../src/charts/drawing/shapes.ts'
import type { Area, Picture, Point } from '../../../src/charts/picture.ts'
import { findArea } from '../viewport.ts'
import type { Mapping, MapWay } from './mapping.ts'

type Props = { readonly picture: Picture; readonly mapping: Mapping }

export function MapWays({ picture, mapping: { ways, picking } }: Props) {
  const start = picking === null ? null : findArea(picture, picking.from)
  return (
    <g class="map-ways" aria-hidden="true">
      {ways.map((way) => (
        <Way key={`${way.from} ${way.to}`} points={toPoints(picture, way)} />
      ))}
      {start !== null && <Drawn start={start} />}
    </g>
  )
}

function Way({ points }: { readonly points: readonly Point[] | null }) {
  if (points === null) return null
  return (
    <>
      <path class="casing" d={toWayPath(points)} />
      <path class="map-way" d={toWayPath(points)} />
      <path class="map-head" d={toHeadPath(points)} />
    </>
  )
}

/** From the state to the mouse. */
function Drawn({ start }: { readonly start: Area }) {
  const path = useRef<SVGPathElement>(null)
  useEffect(() => {
    const svg = path.current?.ownerSVGElement
    const onMove = ({ clientX, clientY }: PointerEvent): void => {
      const matrix = path.current?.getScreenCTM()
      if (matrix === null || matrix === undefined) return
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(matrix.inverse())
      path.current?.setAttribute('d', toWayPath([toEdge(start, { x, y }), { x, y }]))
    }
    svg?.addEventListener('pointermove', onMove)
    return () => svg?.removeEventListener('pointermove', onMove)
  }, [start])
  return <path class="map-way" ref={path} />
}

/** Null when one of the two is folded away, or one stands in the other. */
function toPoints(picture: Picture, { from, to }: MapWay): readonly Point[] | null {
  const start = findArea(picture, from)
  const goal = findArea(picture, to)
  if (start === null || goal === null || contains(start, goal) || contains(goal, start)) return null
  return [toEdge(start, toMiddle(goal)), toEdge(goal, toMiddle(start))]
}

function toMiddle({ x, y, width, height }: Area): Point {
  return { x: x + width / 2, y: y + height / 2 }
}

function contains(outer: Area, inner: Area): boolean {
  const { x, y } = toMiddle(inner)
  return x > outer.x && x < outer.x + outer.width && y > outer.y && y < outer.y + outer.height
}

/** Where the line from the middle of the area to that point leaves it. */
function toEdge(area: Area, towards: Point): Point {
  const { x, y } = toMiddle(area)
  const [dx, dy] = [towards.x - x, towards.y - y]
  const share = Math.min(1, dx === 0 ? 1 : area.width / 2 / Math.abs(dx), dy === 0 ? 1 : area.height / 2 / Math.abs(dy))
  return { x: x + dx * share, y: y + dy * share }
}
