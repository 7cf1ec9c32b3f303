import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'

// [Note: build targets] The oldest Electron that the code must run on is 33 (Chromium 130, Node 20.18), which build/prepare falls back to. electron-vite
// would take the targets of the version in package.json.
const NODE = 'node20.18'
const CHROMIUM = 'chrome130'

// What cannot be bundled (native code, WebAssembly that finds its files beside its script) is in package.json's dependencies; everything else is in
// devDependencies and ends up in the bundle.
const at = (path: string): string => resolve(import.meta.dirname, path)

/** Notes which packages ended up in a bundle, so that the list of licences is that of the real contents. */
function notePackages(target: string): Plugin {
  return {
    name: 'larkspur:note-packages',
    generateBundle(_options, bundle) {
      const names = Object.values(bundle)
        .flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : chunk.originalFileNames))
        .map((id) => /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id)?.[1]?.replaceAll('\\', '/'))
      mkdirSync(at('out'), { recursive: true })
      writeFileSync(at(`out/packages-${target}.json`), JSON.stringify([...new Set(names.filter((name) => name !== undefined))].sort()))
    },
  }
}

export default defineConfig({
  main: {
    plugins: [notePackages('main')],
    build: {
      target: NODE,
      rolldownOptions: {
        input: {
          main: at('src-main/main.ts'),
          'provider-probe': at('src-main/engine/runtime/probe-process.ts'),
          'engine-host': at('src-main/engine-host.ts'),
          'documents-worker': at('src-main/documents/worker.ts'),
          'dataset-pictures-worker': at('src-main/datasets/picture-worker.ts'),
          'recognise-worker': at('src-main/engine/weights/recognise-worker.ts'),
        },
      },
    },
  },
  preload: {
    plugins: [notePackages('preload')],
    build: {
      target: NODE,
      // A sandboxed preload can require nothing but electron, so zod goes into it.
      externalizeDeps: false,
      rolldownOptions: { input: { preload: at('src-main/preload.ts') }, output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: {
    root: at('src-renderer'),
    plugins: [svelte({ configFile: at('svelte.config.js') }), notePackages('renderer')],
    build: {
      target: CHROMIUM,
      outDir: at('out/renderer'),
      emptyOutDir: true,
      // Data URLs in scripts and styles would need holes in the content security policy.
      assetsInlineLimit: 0,
      // A slow machine is no reason for a warning.
      rolldownOptions: { input: at('src-renderer/index.html'), checks: { bundlerTimings: false } },
    },
  },
})
