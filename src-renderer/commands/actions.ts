import { menuCommands, recentDatasetCommand } from '../../src-main/contract/commands.ts'
import type { MenuCommandId } from '../../src-main/contract/commands.ts'
import { locale, t } from '../i18n/index.svelte.ts'
import type { AppState } from '../state/app.svelte.ts'
import { turnLabel } from '../turns/recipe-line.ts'
import type { CanvasAction } from '../canvas/actions.ts'
import type { Action, CommandGroup } from './registry.ts'

const GROUP_OF_MENU: Readonly<Record<(typeof menuCommands)[number]['menu'], CommandGroup>> = {
  file: 'file',
  edit: 'file',
  region: 'region',
  view: 'view',
  help: 'view',
}

interface Doing {
  readonly enabled?: () => boolean
  readonly run: () => void
  readonly fieldsComeFirst?: true
}

/** Accepts the selected candidate under the name that its recipe gives it. */
export async function acceptSelected(app: AppState): Promise<void> {
  const candidate = app.staging.acceptable
  if (candidate) await app.generation.accept(turnLabel(candidate.recipe, t()))
}

/** Writes the selected candidate to a file and says where. */
export async function saveSelected(app: AppState): Promise<void> {
  const path = await app.generation.saveSelected()
  if (path !== null) app.notices.show('info', t().savedTo(path))
}

export async function save(app: AppState, as: boolean): Promise<boolean> {
  const saved = await app.document.save(as)
  if (saved) app.notices.show('info', t().saved)
  return saved
}

export async function exportPicture(app: AppState): Promise<void> {
  const path = await app.document.exportPicture()
  if (path !== null) app.notices.show('info', t().exportedTo(path))
}

/** What each command of the menu does; a command without an entry does not compile. */
function doings(app: AppState): Readonly<Record<MenuCommandId, Doing>> {
  const { document, staging, generation, ui, settings, subjects } = app
  // While a dataset or a benchmark is looked at, the document lies behind it.
  const open = (): boolean => document.state !== null && app.dataset.open === null && !app.evaluation.open
  return {
    'file.open': {
      run: () => {
        app.notices.clearErrors()
        app.dataset.close()
        app.evaluation.hide()
        void document.open(null)
      },
    },
    'dataset.browse': {
      run: () => {
        app.evaluation.hide()
        void app.dataset.browse(null)
      },
    },
    'evaluation.open': { run: () => showEvaluation(app) },
    'file.save': { enabled: open, run: () => void save(app, false) },
    'file.saveAs': { enabled: open, run: () => void save(app, true) },
    'file.export': { enabled: open, run: () => void exportPicture(app) },
    'app.settings': { run: () => (ui.dialog = 'settings') },
    'edit.undo': { enabled: () => document.state?.undo != null, run: () => void document.undo(), fieldsComeFirst: true },
    'edit.redo': { enabled: () => document.state?.redo != null, run: () => void document.redo(), fieldsComeFirst: true },
    'region.generate': { enabled: () => !generation.busy && generation.blocker === null, run: () => void generation.generate('candidates') },
    'region.strip': { enabled: () => !generation.busy && generation.blocker === null && app.draft.usesSubject, run: () => void generation.generate('strip') },
    'region.cancel': { enabled: () => generation.job !== null, run: () => generation.cancel() },
    'candidate.accept': { enabled: () => staging.acceptable !== null, run: () => void acceptSelected(app) },
    'candidate.save': { enabled: () => staging.acceptable !== null, run: () => void saveSelected(app) },
    'candidate.discard': { enabled: () => staging.active, run: () => generation.discard() },
    'subject.add': { enabled: open, run: () => void subjects.add(null) },
    'view.palette': { run: () => (ui.dialog = ui.dialog === 'palette' ? null : 'palette') },
    'view.turns': { run: () => void settings.set({ turnsOpen: !settings.value.turnsOpen }) },
    'view.seen': { enabled: open, run: () => app.sight.toggle() },
    'view.more': { run: () => (ui.moreOpen = !ui.moreOpen) },
    'view.dark': { run: () => void settings.set({ theme: 'dark' }) },
    'view.light': { run: () => void settings.set({ theme: 'light' }) },
    'view.contrast': { run: () => void settings.set({ theme: 'contrast' }) },
    'help.shortcuts': { run: () => (ui.dialog = 'shortcuts') },
    'app.models': { run: () => (ui.dialog = 'models') },
    'engine.restart': { run: () => void app.calls.attempt('engine.restart', null) },
    'app.about': { run: () => (ui.dialog = 'about') },
  }
}

export function menuActions(app: AppState): readonly Action[] {
  const table = doings(app)
  return menuCommands.map((command): Action => {
    const { enabled = () => true, run, fieldsComeFirst } = table[command.id]
    return {
      id: command.id,
      group: command.id.startsWith('candidate.') ? 'candidates' : GROUP_OF_MENU[command.menu],
      title: () => command.title[locale()],
      shortcuts: [...(command.accelerator === null ? [] : [command.accelerator]), ...(command.id === 'edit.redo' ? ['CmdOrCtrl+Y'] : [])],
      enabled,
      run,
      ...(fieldsComeFirst ? { fieldsComeFirst } : {}),
    }
  })
}

/** The samples, which the native menu has under its own item, for the palette. */
export function sampleActions(app: AppState): readonly Action[] {
  return app.samples.map(({ id, name }): Action => ({
    id: `sample.${id}`,
    group: 'file',
    title: () => t().openSample(name),
    shortcuts: [],
    enabled: () => app.document.activity === 'idle',
    run: () => void app.document.openSample(id),
  }))
}

/** Datasets that were looked through before, for the palette and the native menu's list. */
export function recentDatasetActions(app: AppState): readonly Action[] {
  return app.settings.value.recentDatasets.map((folder): Action => ({
    id: recentDatasetCommand(folder),
    group: 'file',
    title: () => t().dataset.browseAgain(folder),
    shortcuts: [],
    enabled: () => true,
    run: () => void app.dataset.browse(folder),
  }))
}

/** Results of benchmarks that were looked at before, for the palette. */
export function recentEvaluationActions(app: AppState): readonly Action[] {
  return app.settings.value.recentEvaluations.map((folder): Action => ({
    id: `evaluation.recent ${folder}`,
    group: 'file',
    title: () => t().evaluation.again(folder),
    shortcuts: [],
    enabled: () => !app.evaluation.running,
    run: () => {
      showEvaluation(app)
      void app.evaluation.reopen(folder)
    },
  }))
}

function showEvaluation(app: AppState): void {
  app.dataset.close()
  app.evaluation.show()
}

/** What the canvas can do, as commands of the registry. */
export function canvasCommands(actions: readonly CanvasAction[]): readonly Action[] {
  return actions.map(({ id, label, keys, enabled, run }): Action => ({
    id,
    group: 'tools',
    title: label,
    shortcuts: keys,
    enabled,
    run,
    fieldsComeFirst: true,
  }))
}
