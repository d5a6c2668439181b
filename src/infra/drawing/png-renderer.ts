/** SVG to PNG without a browser: resvg, with the font that the charts are measured in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { unpackWoff } from './woff.ts'

export type PngRenderer = {
  /** `scale` 2 gives two pixels for each of the SVG's. */
  render(svg: string, scale: number): Promise<Buffer>
  close(): void
}

const weights = [400, 700] as const

/**
 * The renderer takes fonts as files: they are unpacked into a temporary folder when the first picture is wanted. It is
 * machine code, and loaded then too: a platform that has none can do without pictures, not without the service.
 */
export function openPngRenderer(): PngRenderer {
  let folder: string | null = null
  const unpack = (): readonly string[] => {
    folder ??= mkdtempSync(join(tmpdir(), 'duologue-fonts-'))
    const own = folder
    return weights.map((weight) => unpackFont(weight, own))
  }
  let fonts: readonly string[] | null = null
  return {
    async render(svg, scale) {
      const { renderAsync } = await import('@resvg/resvg-js')
      fonts ??= unpack()
      const font = { loadSystemFonts: false, fontFiles: [...fonts], defaultFontFamily: 'Arimo' }
      const image = await renderAsync(svg, { font, fitTo: { mode: 'zoom', value: scale } })
      return image.asPng()
    },
    close() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
      folder = null
      fonts = null
    },
  }
}

function unpackFont(weight: number, folder: string): string {
  const woff = createRequire(import.meta.url).resolve(`@fontsource/arimo/files/arimo-latin-${weight}-normal.woff`)
  const path = join(folder, `arimo-${weight}.ttf`)
  writeFileSync(path, unpackWoff(readFileSync(woff)))
  return path
}
