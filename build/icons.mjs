// `npm run icons`: renders resources/icons/larkspur.svg to the PNG sizes that windows and packages ask for. Run it after the drawing was changed.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Vips from 'wasm-vips'
import { root } from './lib/paths.mjs'

const SIZES = [256, 512, 1024]
const DRAWN_SIZE = 512

const folder = join(root, 'resources', 'icons')
const vips = await Vips({ dynamicLibraries: ['vips-resvg.wasm'] })
const drawing = readFileSync(join(folder, 'larkspur.svg'))
for (const size of SIZES) {
  const picture = vips.Image.svgloadBuffer(drawing, { scale: size / DRAWN_SIZE })
  writeFileSync(join(folder, `larkspur-${size}.png`), picture.pngsaveBuffer({ compression: 9 }))
  picture.delete()
}
vips.shutdown()
