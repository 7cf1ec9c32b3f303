import { z } from 'zod'
import { channels } from '../../../src-main/contract/channels.ts'
import type { ChannelIn, ChannelName, ChannelOut, LarkspurBridge, WindowEvent, WindowEventName } from '../../../src-main/contract/channels.ts'
import type { BlobRef } from '../../../src-main/contract/basics.ts'
import type { DocumentState, Layer, Subject, Turn } from '../../../src-main/contract/document.ts'
import type { Candidate, EngineRequest } from '../../../src-main/contract/engine-protocol.ts'
import type { ModelSummary } from '../../../src-main/contract/model-manifest.ts'
import type { Recipe } from '../../../src-main/contract/recipe.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'
import type { EngineLink } from '../../../src-renderer/state/engine.svelte.ts'

export const blob = (letter: string, width = 64, height = 64): BlobRef => ({ sha256: letter.repeat(64), width, height })

export const model: ModelSummary = {
  id: 'mini',
  name: 'Mini',
  kind: 'largen',
  nativeSize: 256,
  sha256: 'f'.repeat(64),
  bytes: 1000,
  licence: 'Apache-2.0',
  bundled: true,
  capabilities: { text: true, subject: true, refine: true, guideChannels: true },
  defaults: { steps: 20, guidance: 4, rescale: 0.5, betaWithText: 0.3, betaSubjectOnly: 1, guideStrength: 0.4, detailTransfer: 0.5, sampler: 'ddim' },
}

export const subject = (id: string, letter = 'a'): Subject => ({ id, name: id, picture: blob(letter), cutout: blob('c') })

export const layer = (id: string): Layer => ({
  id,
  name: id,
  kind: 'patch',
  box: { x: 0, y: 0, w: 10, h: 10 },
  opacity: 1,
  blend: 'normal',
  visible: true,
  revision: 0,
})

export const turn = (id: string, parent: string | null): Turn => ({
  id,
  parent,
  label: id,
  at: 0,
  recipe: null,
  facts: null,
  patchLayer: null,
  thumbnail: null,
  mask: null,
  layers: [layer(`layer of ${id}`)],
})

export const documentState = (change: Partial<DocumentState> = {}): DocumentState => ({
  id: 'document',
  name: 'kitchen',
  path: null,
  width: 64,
  height: 64,
  depth: 8,
  profile: 'sRGB',
  turns: [turn('root', null)],
  currentTurn: 'root',
  mask: { revision: 0, bounds: null },
  subjects: [],
  saved: true,
  undo: null,
  redo: null,
  revision: 0,
  ...change,
})

export const recipe = (change: Partial<Recipe> = {}): Recipe => ({
  format: 1,
  mode: 'insert',
  model: { id: 'mini', sha256: 'f'.repeat(64) },
  scene: blob('1'),
  mask: blob('2'),
  subjects: [{ picture: blob('a'), cutout: null }],
  prompt: 'a ripe pear',
  negative: '',
  beta: 0.3,
  placement: null,
  guideStrength: 0.4,
  detailTransfer: 0.5,
  contextBox: null,
  contextPadding: 1.3,
  size: 256,
  featherPx: 8,
  sampler: 'ddim',
  steps: 20,
  guidance: 4,
  rescale: 0.5,
  seed: 7,
  refine: true,
  speed: EXACT_SPEED,
  unconditionalBeta: null,
  ...change,
})

export const candidate = (used: Recipe): Candidate => ({
  recipe: used,
  patch: blob('d', 32, 32),
  box: { x: 0, y: 0, w: 32, h: 32 },
  facts: {
    provider: 'cpu',
    app: 'test',
    seconds: {},
    scores: { identity: 0.5, text: 0.2 },
    changedOutsideMask: 0,
    contextBox: { x: 0, y: 0, w: 32, h: 32 },
    notices: [],
  },
})

type Answers = { [N in ChannelName]?: (input: ChannelIn<N>) => ChannelOut<N> | Promise<ChannelOut<N>> }

/** A bridge that answers as it is told and parses what goes through it as the real one does. */
export class TestBridge implements LarkspurBridge {
  readonly answers: Answers
  readonly calls: { readonly name: ChannelName; readonly input: unknown }[] = []
  readonly #listeners = new Map<WindowEventName, Set<(event: never) => void>>()

  constructor(answers: Answers = {}) {
    this.answers = answers
  }

  async call<N extends ChannelName>(name: N, input: ChannelIn<N>): Promise<ChannelOut<N>> {
    const schema: z.ZodType = channels[name].in
    schema.parse(input)
    this.calls.push({ name, input })
    const answer = this.answers[name]
    if (!answer) throw { code: 'no-answer', message: `${name} has no answer` }
    return await answer(input)
  }

  on<N extends WindowEventName>(name: N, listener: (event: WindowEvent<N>) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set.add(listener))
    return () => set.delete(listener)
  }

  emit<N extends WindowEventName>(name: N, event: WindowEvent<N>): void {
    for (const listener of this.#listeners.get(name) ?? []) (listener as (event: WindowEvent<N>) => void)(event)
  }

  pathOfFile(): string {
    return ''
  }

  named(name: ChannelName): unknown[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input)
  }
}

/** One end of a port whose other end is the test. */
export class TestLink implements EngineLink {
  readonly requests: EngineRequest[] = []
  closed = false
  #listener: (message: unknown) => void = () => {}

  post(request: EngineRequest): void {
    this.requests.push(request)
  }
  listen(listener: (message: unknown) => void): void {
    this.#listener = listener
  }
  close(): void {
    this.closed = true
  }
  say(message: unknown): void {
    this.#listener(message)
  }
  /** The last request of a type. */
  last<T extends EngineRequest['type']>(type: T): Extract<EngineRequest, { type: T }> {
    const found = this.requests.findLast((request): request is Extract<EngineRequest, { type: T }> => request.type === type)
    if (!found) throw new Error(`no ${type} was asked`)
    return found
  }
}
