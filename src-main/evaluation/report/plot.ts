import { ticks } from 'd3-array'
import type { Estimate } from '../statistics.ts'
import type { Curve } from '../summary.ts'

const WIDTH = 640
const HEIGHT = 300
const LEFT = 64
const RIGHT = 64
const TOP = 28
const BOTTOM = 44
const INK = { clipI: '#7a3e9d', clipT: '#1f7a63' }

/** CLIP-I (left axis) and CLIP-T (right axis) over beta, with whiskers of one standard error: figure 12 of the paper. A whole SVG document. */
export function betaPlot({ model, over, points }: Curve): string {
  const betas = points.map(({ beta }) => beta)
  const [low, high] = [Math.min(...betas), Math.max(...betas)]
  const x = (beta: number): number => LEFT + ((beta - low) / Math.max(1e-9, high - low)) * (WIDTH - LEFT - RIGHT)
  const identity = points.map(({ clipI }) => clipI)
  const text = points.flatMap(({ clipT }) => (clipT === null ? [] : [clipT]))
  const title = `CLIP-I and CLIP-T of ${model} over beta${over === 'disagreeing' ? ', text and subject disagree' : ''}`
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${WIDTH / 2}" y="16" text-anchor="middle" fill="#333">${escaped(title)}</text>`,
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}V${TOP}" fill="none" stroke="#999"/>`,
    ...betas.map((beta) => `<text x="${at(x(beta))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#333">${beta}</text>`),
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle" fill="#333">beta</text>`,
    ...line(identity, betas.map(x), INK.clipI, 'left', 'CLIP-I'),
  ]
  // A text that could not be judged somewhere has no place on the axis of betas.
  if (text.length === points.length) parts.push(...line(text, betas.map(x), INK.clipT, 'right', 'CLIP-T'))
  return `${parts.join('\n')}\n</svg>\n`
}

function line(values: readonly Estimate[], places: readonly number[], ink: string, side: 'left' | 'right', name: string): string[] {
  const ends = values.flatMap((value) => [value.mean - errorOf(value), value.mean + errorOf(value)])
  const margin = Math.max(1e-3, (Math.max(...ends) - Math.min(...ends)) * 0.08)
  const [low, high] = [Math.min(...ends) - margin, Math.max(...ends) + margin]
  const y = (value: number): number => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)
  const edge = side === 'left' ? LEFT : WIDTH - RIGHT
  const [label, anchor, turn] = side === 'left' ? [edge - 8, 'end', 16] : [edge + 8, 'start', WIDTH - 10]
  return [
    ...ticks(low, high, 5).map((value) => `<text x="${label}" y="${at(y(value) + 4)}" text-anchor="${anchor}" fill="${ink}">${value.toFixed(3)}</text>`),
    `<text transform="translate(${turn} ${HEIGHT / 2}) rotate(-90)" text-anchor="middle" fill="${ink}" font-weight="600">${name}</text>`,
    `<path d="${values.map((value, i) => `${i === 0 ? 'M' : 'L'}${at(places[i]!)} ${at(y(value.mean))}`).join('')}" fill="none" stroke="${ink}" stroke-width="2"/>`,
    ...values.map((value, i) => {
      const place = at(places[i]!)
      return `<path d="M${place} ${at(y(value.mean - errorOf(value)))}V${at(y(value.mean + errorOf(value)))}" stroke="${ink}"/><circle cx="${place}" cy="${at(y(value.mean))}" r="4" fill="${ink}"/>`
    }),
  ]
}

function errorOf({ standardError, groupedError }: Estimate): number {
  return Math.max(standardError, groupedError ?? 0)
}

function at(value: number): string {
  return value.toFixed(1)
}

/** Text inside HTML and SVG. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
