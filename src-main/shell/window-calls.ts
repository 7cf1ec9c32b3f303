import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChannelOut, Settings } from '../contract/channels.ts'
import { UserError } from '../contract/errors.ts'
import type { Documents } from '../documents/index.ts'
import { readLibrary, summaryOf } from '../models/index.ts'
import type { DatasetDesk } from './dataset-desk.ts'
import type { DocumentSession } from './document-session.ts'
import type { EvaluationDesk } from './evaluation-desk.ts'
import type { ChannelAnswers } from './ipc.ts'
import type { ModelDesk } from './model-desk.ts'
import type { Samples } from './samples.ts'

export interface WindowCallParts {
  readonly version: string
  readonly bundles: string
  readonly modelFolders: readonly string[]
  readonly samples: Samples
  readonly session: DocumentSession
  readonly desk: ModelDesk
  readonly datasets: DatasetDesk
  readonly evaluations: EvaluationDesk
  readonly documents: Documents
  readonly settings: () => Settings
  readonly changeSettings: (part: Partial<Settings>) => Promise<Settings>
  readonly restartEngine: () => void
  readonly closeWindow: (choice: 'save' | 'discard' | 'cancel') => Promise<void>
}

/** What the shell answers to each call of the window. */
export function windowCalls(parts: WindowCallParts): ChannelAnswers {
  const { session, desk, datasets, evaluations } = parts
  return {
    'app.info': () => ({ version: parts.version, platform: process.platform, samples: parts.samples.list.map(({ id, name }) => ({ id, name })) }),
    'app.licences': async () => await readFile(join(parts.bundles, 'LICENCES.txt'), 'utf8'),
    'settings.get': () => parts.settings(),
    'settings.set': async (part) => await parts.changeSettings(defined(part)),
    'models.list': async (): Promise<ChannelOut<'models.list'>> => (await readLibrary(parts.modelFolders)).models.map(summaryOf),
    'models.items': async () => await desk.items(),
    'models.catalogue': async () => await desk.offers(),
    'models.download': async ({ id }) => await desk.download(id).then(done),
    'models.cancelDownload': ({ id }) => {
      desk.cancel(id)
      return null
    },
    'models.import': async ({ what, copy }) => await desk.import(what, copy),
    'models.verify': async ({ id }) => await desk.verify(id),
    'models.remove': async ({ id }) => await desk.remove(id).then(done),
    'models.place': () => desk.place(),
    'models.setToken': async ({ token }) => await desk.setToken(token).then(done),
    'document.current': () => session.state,
    'document.open': async (source) => await session.open(source),
    'document.openSample': async ({ sample }) => {
      const { path, name } = parts.samples.scene(sample)
      const state = (await session.openSample(path, name)) ?? session.state
      if (!state) throw new UserError('no-document', 'no document is open')
      return state
    },
    'document.apply': async (op) => await session.apply(op),
    'document.undo': async () => await session.undo(),
    'document.redo': async () => await session.redo(),
    'document.save': async ({ as }) => await session.save(as),
    'document.export': async ({ path, recipes }) => await session.exportTo(path, recipes),
    'candidate.saveAs': async ({ candidate, path }) => await session.saveCandidate(candidate, path),
    'document.jobInputs': async () => await session.jobInputs(),
    'subject.import': async (source) => await session.importSubject(source),
    'blob.putMask': async (mask) => await parts.documents.putMask(mask),
    'dataset.open': async ({ folder }) => await datasets.open(folder),
    'dataset.close': ({ dataset }) => {
      datasets.close(dataset)
      return null
    },
    'dataset.list': ({ dataset, filter }) => datasets.list(dataset, filter),
    'dataset.rows': async ({ dataset, rows }) => await datasets.rows(dataset, rows),
    'dataset.review': async (decision) => await datasets.review(decision),
    'dataset.mend': async (mend) => await datasets.mend(mend),
    'dataset.undo': async ({ dataset }) => await datasets.undo(dataset),
    'dataset.relink': async ({ dataset }) => await datasets.relink(dataset),
    'evaluation.choose': async ({ what }) => await evaluations.choose(what),
    'evaluation.open': ({ folder }) => evaluations.open(folder),
    'evaluation.close': ({ evaluation }) => {
      evaluations.close(evaluation)
      return null
    },
    'evaluation.showReport': ({ evaluation }) => {
      evaluations.showReport(evaluation)
      return null
    },
    'engine.restart': () => {
      parts.restartEngine()
      return null
    },
    'window.confirmClose': async ({ choice }) => {
      await parts.closeWindow(choice)
      return null
    },
  }
}

function done(): null {
  return null
}

/** zod leaves a key that was not given as undefined; such a key must not overwrite a setting. */
function defined(part: { [K in keyof Settings]?: Settings[K] | undefined }): Partial<Settings> {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))
}
