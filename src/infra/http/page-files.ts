/**
 * The built pages, read into memory at the start: a few files, served whole. Names under `/assets/`
 * carry a hash of their content, so a browser may keep them for ever.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

export type PageFile = { readonly contentType: string; readonly body: Buffer; readonly cacheControl: string }

/** By path below the folder, with forward slashes: `phone/index.html`, `assets/phone-x1y2.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>

const contentTypes: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

export function readPageFiles(folder: string): PageFiles {
  const files = new Map<string, PageFile>()
  for (const path of listFiles(folder)) {
    const contentType = contentTypes[extname(path)]
    if (contentType === undefined) continue
    const cacheControl = path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-store'
    files.set(path, { contentType, body: readFileSync(join(folder, path)), cacheControl })
  }
  return files
}

function listFiles(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const isBelow = (path: string): string => path.slice(folder.length).replaceAll('\\', '/').replace(/^\//, '')
    return entries.filter((entry) => entry.isFile()).map((entry) => isBelow(join(entry.parentPath, entry.name)))
  } catch (error) {
    throw new Error(`could not read the pages in ${folder}: they are not built`, { cause: error })
  }
}
