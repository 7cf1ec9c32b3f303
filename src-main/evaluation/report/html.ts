import type { Case } from '../benchmark.ts'
import { COLUMNS } from './numbers.ts'
import { escaped } from './plot.ts'
import type { Thumbnails } from './sheets.ts'
import type { Table } from './tables.ts'
import type { Report } from './report.ts'

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } th, td { padding: .3rem .7rem; border-bottom: 1px solid #ddd; text-align: right }
th { border-bottom-color: #888 } th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left }
.best { font-weight: 700 } .wide { overflow-x: auto } .sheet td, .sheet th { padding: 2px; border: 0; text-align: center; font-size: 12px; vertical-align: top }
.sheet th { position: sticky; top: 0; background: #fff } .sheet td:first-child { text-align: left; max-width: 11rem } .sheet img { display: block; width: 128px; height: 128px }
.fault { color: #b00020; font-weight: 700 } figure { margin: 1rem 0 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1d } .sheet th { background: #1b1b1d } th, td { border-bottom-color: #444 } }`

/** One file that needs no other: pictures and plots are inside, and there is no script. */
export async function htmlReport(report: Report, shown: readonly Case[], thumbnails: Thumbnails): Promise<string> {
  const parts = [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<title>${escaped(report.title)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escaped(report.title)}</h1>`,
    report.about === '' ? '' : `<p>${escaped(report.about)}</p>`,
    `<ul>${report.notes.map((note) => `<li${note.startsWith('FAULT') ? ' class="fault"' : ''}>${escaped(note)}</li>`).join('')}</ul>`,
    ...report.tables.map(htmlTable),
    ...report.curves.map(({ svg, lines }) => `<figure>${svg}<figcaption>${lines.map(escaped).join('<br>')}</figcaption></figure>`),
    shown.length === 0 ? '' : await htmlSheet(report.sheetColumns, shown, thumbnails),
    `<h2>Figures</h2><ul>${Object.values(COLUMNS)
      .map(({ title, about }) => `<li><b>${escaped(title)}</b>: ${escaped(about)}</li>`)
      .join('')}</ul>`,
    '</body></html>\n',
  ]
  return parts.filter((part) => part !== '').join('\n')
}

function htmlTable({ title, about, head, rows }: Table): string {
  const body = rows.map(
    ({ cells, best }) => `<tr>${cells.map((cell, at) => `<td${best.includes(at) ? ' class="best"' : ''}>${escaped(cell)}</td>`).join('')}</tr>`,
  )
  const top = head.map((cell) => `<th scope="col">${escaped(cell)}</th>`).join('')
  return `<h2>${escaped(title)}</h2><p>${escaped(about)}</p><div class="wide"><table><thead><tr>${top}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

async function htmlSheet(columns: readonly string[], shown: readonly Case[], thumbnails: Thumbnails): Promise<string> {
  const rows: string[] = []
  for (const one of shown) {
    const cells = [`<td>${escaped(one.prompt === '' ? one.subject.name : one.prompt)}</td>`]
    for (const what of columns) {
      const bytes = await thumbnails.smallBytes(one.id, what)
      const alt = escaped(`${one.subject.name}, ${what}`)
      cells.push(bytes === null ? '<td></td>' : `<td><img alt="${alt}" src="data:image/webp;base64,${Buffer.from(bytes).toString('base64')}"></td>`)
    }
    rows.push(`<tr>${cells.join('')}</tr>`)
  }
  const head = ['', ...columns].map((name) => `<th scope="col">${escaped(name)}</th>`).join('')
  return `<h2>Contact sheet</h2><div class="wide"><table class="sheet"><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}
