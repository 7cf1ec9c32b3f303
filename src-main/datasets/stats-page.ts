import type { Stats } from './stats.ts'

const WIDTH = 640
const ROW = 20
const LEFT = 190
const RIGHT = 60
const SHOWN_TAGS = 40

/** Bars with their numbers, a whole SVG document. */
export function barPlot(title: string, bars: readonly { readonly name: string; readonly count: number }[]): string {
  const height = 36 + bars.length * ROW
  const most = Math.max(1, ...bars.map(({ count }) => count))
  const rows = bars.map(({ name, count }, at) => {
    const y = 32 + at * ROW
    const width = ((WIDTH - LEFT - RIGHT) * count) / most
    const label = `<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end" fill="#333">${escaped(name.length > 28 ? `${name.slice(0, 27)}…` : name)}</text>`
    const bar = `<rect x="${LEFT}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 5}" fill="#7a3e9d"/>`
    return `${label}${bar}<text x="${(LEFT + width + 6).toFixed(1)}" y="${y + 12}" fill="#333">${count}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title><rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="8" y="18" fill="#333" font-weight="600">${escaped(title)}</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n')
}

/** The plots by file name. */
export function statsPlots(stats: Stats): Readonly<Record<string, string>> {
  const named = (record: Readonly<Record<string, number>>) => Object.entries(record).map(([name, count]) => ({ name, count }))
  return {
    'tags.svg': barPlot(
      stats.tags.length > SHOWN_TAGS ? `The ${SHOWN_TAGS} most frequent of ${stats.tags.length} tags` : 'Tags',
      stats.tags.slice(0, SHOWN_TAGS).map(({ tag, count }) => ({ name: tag, count })),
    ),
    'areas.svg': barPlot(
      'Share of the photo that an object takes',
      stats.areas.map(({ to, count }, at) => ({ name: `${percent(stats.areas[at - 1]?.to ?? 0)} to ${percent(to)}`, count })),
    ),
    'objects.svg': barPlot(
      'Photos by their number of objects',
      stats.objectsPerPhoto.map(({ objects, photos }) => ({ name: String(objects), count: photos })),
    ),
    'dropped.svg': barPlot('Objects that were left out, by reason', named(stats.dropped)),
  }
}

/** One file that needs no other. */
export function statsPage(name: string, stats: Stats): string {
  const { photos, flags, split, reviews } = stats
  const rows = [
    ['photos', photos.all],
    ['of them not readable', photos.unreadable],
    ['with objects', photos.withObjects],
    ['nearly equal to another', photos.nearDuplicates],
    ['quadruplets', stats.quadruplets],
    ['for training', split.train],
    ['for validation', split.validation],
    ['for testing', split.test],
    ['occluded', flags.occluded],
    ['cut by the border', flags.borderCut],
    ['with a face', flags.face],
    ['words of a text, mean', stats.words.mean.toFixed(1)],
    ['words of a text, most', stats.words.most],
    ['accepted', reviews.accepted],
    ['rejected', reviews.rejected],
    ['not decided yet', reviews.open],
    ['captions written anew', reviews.captions],
    ['tags changed', reviews.tags],
    ['masks mended', reviews.masks],
    ...(reviews.ofNone > 0 ? [['decisions about quadruplets that are not there any more', reviews.ofNone] as const] : []),
  ].map(([what, count]) => `<tr><th scope="row">${what}</th><td>${count}</td></tr>`)
  const licences = stats.licences.map(({ licence, count }) => `<tr><th scope="row">${escaped(licence)}</th><td>${count}</td></tr>`)
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(name)}</title>`,
    '<style>body{font:15px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#222}table{border-collapse:collapse}th{font-weight:400;text-align:left;padding:.1rem 2rem .1rem 0}td{text-align:right}svg{max-width:100%;height:auto;margin:1rem 0}</style>',
    `</head><body><h1>${escaped(name)}</h1><table>${rows.join('')}</table><h2>Licences</h2><table>${licences.join('')}</table>`,
    ...Object.values(statsPlots(stats)),
    '</body></html>\n',
  ].join('\n')
}

function percent(share: number): string {
  return `${share * 100} %`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
