import { median, type Measured } from './ratios.ts'

const PANEL = { width: 210, height: 190, gap: 34, left: 46, top: 46, bottom: 40 }
const PANELS = ['steps', 'size', 'betas', 'subjects'] as const
const INK: Readonly<Record<string, string>> = { exact: '#7a3e9d', balanced: '#1f7a63' }
const LABEL: Readonly<Record<(typeof PANELS)[number], string>> = {
  steps: 'steps',
  size: 'side of the square in pixels',
  betas: 'betas of a strip',
  subjects: 'pictures of the subject',
}

/** How the cost of a job grows: one panel for each of steps, size, betas, subjects; the exact preset's first point is 1 in each. A whole SVG document. */
export function growthPlot(measured: Measured): string {
  const width = PANELS.length * (PANEL.left + PANEL.width + PANEL.gap)
  const height = PANEL.top + PANEL.height + PANEL.bottom
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>Cost of a job over steps, size, betas and subjects</title><rect width="${width}" height="${height}" fill="#fff"/>`,
    ...Object.entries(INK).map(
      ([preset, ink], i) =>
        `<rect x="${PANEL.left + i * 96}" y="12" width="12" height="12" rx="2" fill="${ink}"/><text x="${PANEL.left + 18 + i * 96}" y="22" fill="#333">${preset}</text>`,
    ),
    ...PANELS.flatMap((name, at) => panel(measured, name, at * (PANEL.left + PANEL.width + PANEL.gap) + PANEL.left)),
  ]
  return `${parts.join('\n')}\n</svg>\n`
}

interface Point {
  readonly at: number
  readonly value: number
}

/** Points of one preset in one panel, in the order of their places. */
export function pointsOf(measured: Measured, preset: string, name: string): Point[] {
  return Object.entries(measured)
    .flatMap(([key, seconds]) => {
      const start = `${preset} ${name} `
      return key.startsWith(start) ? [{ at: Number(key.slice(start.length)), value: median(seconds) }] : []
    })
    .sort((a, b) => a.at - b.at)
}

function panel(measured: Measured, name: (typeof PANELS)[number], left: number): string[] {
  const lines = Object.keys(INK).map((preset) => ({ preset, points: pointsOf(measured, preset, name) }))
  const unit = lines[0]?.points[0]?.value
  const [all, places] = [lines.flatMap(({ points }) => points), lines.flatMap(({ points }) => points.map((point) => point.at))]
  if (unit === undefined || all.length === 0) return []
  const most = Math.ceil(Math.max(...all.map(({ value }) => value / unit)) * 1.05)
  const [low, high] = [Math.min(...places), Math.max(...places)]
  const x = (place: number): string => (left + 8 + ((place - low) / Math.max(1, high - low)) * (PANEL.width - 16)).toFixed(1)
  const y = (value: number): string => (PANEL.top + PANEL.height - (value / unit / most) * PANEL.height).toFixed(1)
  const bottom = PANEL.top + PANEL.height
  const step = most <= 6 ? 1 : Math.ceil(most / 6)
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step)
  return [
    ...ticks.map(
      (tick) =>
        `<path d="M${left} ${y(tick * unit)}h${PANEL.width}" stroke="#e4e4e4"/><text x="${left - 6}" y="${Number(y(tick * unit)) + 4}" text-anchor="end" fill="#555">${tick}</text>`,
    ),
    `<path d="M${left} ${PANEL.top}V${bottom}h${PANEL.width}" fill="none" stroke="#999"/>`,
    ...[...new Set(places)].map((place) => `<text x="${x(place)}" y="${bottom + 16}" text-anchor="middle" fill="#333">${place}</text>`),
    `<text x="${left + PANEL.width / 2}" y="${bottom + 34}" text-anchor="middle" fill="#333">${LABEL[name]}</text>`,
    ...lines.flatMap(({ preset, points }) => [
      `<path d="${points.map(({ at, value }, i) => `${i === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('')}" fill="none" stroke="${INK[preset]}" stroke-width="2"/>`,
      ...points.map(({ at, value }) => `<circle cx="${x(at)}" cy="${y(value)}" r="3.5" fill="${INK[preset]}"/>`),
    ]),
  ]
}
