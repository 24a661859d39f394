/** `pnpm run build:analyze`: prints one JSON object with the size of every built file and when it is loaded. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const dist = fileURLToPath(new URL('dist/', import.meta.url))
const manifest = Object.values(JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8')))
const lazy = new Set(manifest.filter((chunk) => chunk.isDynamicEntry).map((chunk) => chunk.file))

const files = readdirSync(`${dist}assets`)
  .sort()
  .map((name) => {
    const content = readFileSync(`${dist}assets/${name}`)
    const file = `assets/${name}`
    return { file, lazy: lazy.has(file), bytes: content.length, gzip_bytes: gzipSync(content).length }
  })
if (files.length === 0) throw new Error('nothing was built')
console.log(JSON.stringify({ files }))
