import { readFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { DEFAULT_SETTINGS, settingsSchema, type Settings } from '../contract/channels.ts'
import { makeFolder, writeFileWhole } from '../pictures/files.ts'

const MOST_RECENT = 12
const MOST_RECENT_DATASETS = 5
const MOST_RECENT_EVALUATIONS = 5

/**
 * The person's settings, in one JSON file that is written whole or not at all. A file that cannot be read is put aside and the defaults hold; one bad value
 * falls back alone. Either way `notice` says so in one line.
 */
export class SettingsFile {
  readonly notice: string | null
  readonly #path: string
  #value: Settings
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
    const { value, notice } = read(path)
    this.#value = value
    this.notice = notice
  }

  get value(): Settings {
    return this.#value
  }

  /** @throws UserError `write-failed`; the new values then hold until the end of this run. */
  async change(part: Partial<Settings>): Promise<Settings> {
    this.#value = { ...this.#value, ...part }
    const text = JSON.stringify(this.#value, null, 2)
    const write = this.#writing.then(async () => {
      await makeFolder(dirname(this.#path))
      await writeFileWhole(this.#path, Buffer.from(text))
    })
    this.#writing = write.catch(() => {})
    await write
    return this.#value
  }

  /** Puts a file on top of the list of recent ones. */
  async remember(file: string): Promise<Settings> {
    return await this.change({ recentFiles: [file, ...this.#value.recentFiles.filter((each) => each !== file)].slice(0, MOST_RECENT) })
  }

  async rememberDataset(folder: string): Promise<Settings> {
    return await this.change({ recentDatasets: [folder, ...this.#value.recentDatasets.filter((each) => each !== folder)].slice(0, MOST_RECENT_DATASETS) })
  }

  async rememberEvaluation(folder: string): Promise<Settings> {
    return await this.change({
      recentEvaluations: [folder, ...this.#value.recentEvaluations.filter((each) => each !== folder)].slice(0, MOST_RECENT_EVALUATIONS),
    })
  }
}

function read(path: string): { value: Settings; notice: string | null } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return { value: DEFAULT_SETTINGS, notice: null }
  }
  const stored = parseObject(text)
  if (stored === null) {
    const aside = `${path}.broken`
    renameSync(path, aside)
    return { value: DEFAULT_SETTINGS, notice: `The settings could not be read and are at their defaults; the old file is ${aside}.` }
  }
  const value: Record<string, unknown> = { ...DEFAULT_SETTINGS }
  const bad: string[] = []
  for (const [key, schema] of Object.entries(settingsSchema.shape)) {
    if (!(key in stored)) continue
    const parsed = schema.safeParse(stored[key])
    if (parsed.success) value[key] = parsed.data
    else bad.push(key)
  }
  return {
    value: settingsSchema.parse(value),
    notice: bad.length > 0 ? `Settings with a value that is not known are at their defaults: ${bad.join(', ')}.` : null,
  }
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null
  } catch {
    return null
  }
}
