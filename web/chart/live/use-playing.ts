/** Goes from step to step by itself until the last one, or until somebody stops it. */
import { useEffect, useRef, useState } from 'preact/hooks'

const everyMs = 900

export function usePlaying(at: number, last: number, onChoose: (at: number) => void): readonly [boolean, () => void] {
  const [isPlaying, setPlaying] = useState(false)
  const choose = useRef(onChoose)
  choose.current = onChoose
  useEffect(() => {
    if (!isPlaying) return undefined
    if (at >= last) {
      setPlaying(false)
      return undefined
    }
    const timer = setTimeout(() => choose.current(at + 1), everyMs)
    return () => clearTimeout(timer)
  }, [isPlaying, at, last])
  const toggle = (): void => {
    if (!isPlaying && at >= last) choose.current(0)
    setPlaying(!isPlaying)
  }
  return [isPlaying, toggle]
}
