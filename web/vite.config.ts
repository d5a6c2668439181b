/** Builds the pages: one folder per page, its files below `/assets/` with a hash in their name, no foreign address. */
import preact from '@preact/preset-vite'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import type { Plugin } from 'vite'
import { toChartStyles } from '../src/charts/drawing/chart-styles.ts'

const root = fileURLToPath(new URL('.', import.meta.url))

export default defineConfig({
  root,
  plugins: [preact(), chartStyles()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no inline script and no data in place of a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { phone: toPage('phone'), chart: toPage('chart') } },
  },
})

function toPage(name: string): string {
  return fileURLToPath(new URL(`${name}/index.html`, import.meta.url))
}

/** The style sheet of exported charts is that of the page: it is imported as `virtual:chart-drawing.css`. */
function chartStyles(): Plugin {
  const name = 'virtual:chart-drawing.css'
  return {
    name: 'chart-styles',
    resolveId: (id) => (id === name ? `\0${name}` : null),
    load: (id) => (id === `\0${name}` ? toChartStyles('auto') : null),
  }
}
