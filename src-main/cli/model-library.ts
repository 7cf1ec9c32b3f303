import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DownloadProgress } from '../contract/model-library.ts'
import { PUBLIC_HUB, type HubAccess } from '../models/index.ts'

/** The catalogue that Larkspur brings. */
export const cataloguePath = fileURLToPath(new URL('../../resources/catalogue/catalogue.json', import.meta.url))

/** The library of the window, so that what either brings is there for both. LARKSPUR_MODELS names another. */
export function ownLibrary(): string {
  const named = process.env['LARKSPUR_MODELS']
  return named === undefined || named === '' ? join(userData(), 'Larkspur', 'models') : named
}

/** Where Electron keeps what applications store for a person. */
function userData(): string {
  const { APPDATA, XDG_CONFIG_HOME } = process.env
  if (process.platform === 'win32') return APPDATA ?? join(homedir(), 'AppData', 'Roaming')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support')
  return XDG_CONFIG_HOME ? XDG_CONFIG_HOME : join(homedir(), '.config')
}

/** Options before environment; the token comes from the environment alone, because arguments are seen by everybody on the machine. */
export function hubAccess(options: { readonly mirror?: string; readonly proxy?: string }): HubAccess {
  const { HF_ENDPOINT, HF_TOKEN } = process.env
  return { endpoint: options.mirror ?? (HF_ENDPOINT ? HF_ENDPOINT : PUBLIC_HUB), proxy: options.proxy ?? null, token: HF_TOKEN ? HF_TOKEN : null }
}

/** Progress of a download on stderr: one line that is written over on a terminal, else one each ten percent. */
export function downloadReporter(write: (text: string) => void, isTerminal: boolean): (progress: DownloadProgress) => void {
  let shown = ''
  return (progress) => {
    const text = lineOf(progress)
    if (isTerminal) {
      if (text !== shown) write(`\r\u001b[K${text}`)
      shown = text
      return
    }
    const tenth = progress.bytesTotal === 0 ? 0 : Math.floor((progress.bytesDone / progress.bytesTotal) * 10)
    const mark = `${progress.stage === 'checking' ? 'fetching' : progress.stage} ${tenth} ${progress.file} ${progress.waiting ?? ''}`
    if (mark !== shown) write(`${text}\n`)
    shown = mark
  }
}

function lineOf({ id, stage, file, bytesDone, bytesTotal, bytesPerSecond, secondsLeft, waiting }: DownloadProgress): string {
  if (stage === 'asking') return `${id}: asking the hub${waiting === null ? '' : ` (${waiting}, trying again)`}`
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone / bytesTotal) * 100)
  const rate = bytesPerSecond === null ? '' : `, ${bytesText(bytesPerSecond)}/s`
  const left = secondsLeft === null ? '' : `, ${timeText(secondsLeft)} left`
  const state = waiting === null ? (stage === 'checking' ? ', checking' : '') : `, ${waiting}, trying again`
  return `${id}: ${percent} % of ${bytesText(bytesTotal)}${rate}${left}${state}${file === '' ? '' : `  ${file}`}`
}

export function bytesText(bytes: number): string {
  const [unit, size] = bytes >= 1e9 ? ['GB', 1e9] : bytes >= 1e6 ? ['MB', 1e6] : ['kB', 1e3]
  return `${(bytes / Number(size)).toFixed(bytes / Number(size) < 10 ? 1 : 0)} ${unit}`
}

function timeText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}
