import { COLUMNS } from './numbers.ts'
import type { Table } from './tables.ts'
import type { Report } from './report.ts'

export function markdownReport({ title, about, notes, tables, curves, sheets, sheetColumns }: Report): string {
  const parts = [`# ${plain(title)}`, ...(about === '' ? [] : [plain(about)]), notes.map((note) => `- ${plain(note)}`).join('\n')]
  for (const table of tables) parts.push(`## ${plain(table.title)}`, plain(table.about), markdownTable(table))
  for (const { file, lines } of curves) parts.push(`![CLIP-I and CLIP-T over beta](${file})`, lines.map(plain).join(' '))
  if (sheets.length > 0) {
    parts.push('## Contact sheets', `Columns from the left: ${sheetColumns.map(plain).join(', ')}.`, ...sheets.map((name) => `![contact sheet](${name})`))
  }
  parts.push(
    '## Figures',
    Object.values(COLUMNS)
      .map((column) => `- **${column.title}**: ${column.about}`)
      .join('\n'),
  )
  return `${parts.join('\n\n')}\n`
}

function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => plain(cell).replace(/\|/g, '\\|')).join(' | ')} |`
  const marked = rows.map(({ cells, best }) => line(cells.map((cell, at) => (best.includes(at) ? `**${cell}**` : cell))))
  return [line(head), `|${head.map((_, at) => (at < 2 ? '---' : '--:')).join('|')}|`, ...marked].join('\n')
}

/** One line. */
function plain(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ')
}
