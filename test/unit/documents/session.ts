import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Box } from '../../../src-main/contract/basics.ts'
import type { DocumentState, MaskTile } from '../../../src-main/contract/document.ts'
import type { Candidate } from '../../../src-main/contract/engine-protocol.ts'
import { UserError } from '../../../src-main/contract/errors.ts'
import { EXACT_SPEED } from '../../../src-main/contract/speed.ts'
import type { LarkspurDocument } from '../../../src-main/documents/index.ts'
import { BlobStore } from '../../../src-main/pictures/blob-store.ts'
import { encodePng } from '../../../src-main/pictures/encode.ts'
import type { Picture, Picture8 } from '../../../src-main/pictures/picture.ts'

// Nothing here needs the test runner: the processes that fault tests kill use it too.

/** A generator of numbers 0 .. 1 that is the same every time. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A picture of noise over a gradient: every pixel its own. */
export function noisePhoto(width: number, height: number, depth: 8 | 16, options: { icc?: Uint8Array | null; channels?: 3 | 4; seed?: number } = {}): Picture {
  const { icc = null, channels = 3, seed = 1 } = options
  const random = randomFrom(seed)
  const full = depth === 8 ? 255 : 65535
  const count = width * height * channels
  const pixels = depth === 8 ? new Uint8Array(count) : new Uint16Array(count)
  for (let at = 0; at < count; at++) pixels[at] = Math.floor(random() * (full + 1))
  const shape = { width, height, channels, icc }
  return pixels instanceof Uint8Array ? { ...shape, depth: 8, pixels } : { ...shape, depth: 16, pixels }
}

export async function photoFile(folder: string, picture: Picture, name = 'photo.png'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, await encodePng(picture))
  return path
}

/** An RGBA patch: an ellipse with a soft edge that leaves the corners clear. */
export function softPatch(box: Box, seed: number): Picture8 {
  const random = randomFrom(seed)
  const pixels = new Uint8Array(box.w * box.h * 4)
  for (let y = 0; y < box.h; y++) {
    for (let x = 0; x < box.w; x++) {
      const distance = Math.hypot((x + 0.5) / box.w - 0.5, (y + 0.5) / box.h - 0.5) * 2
      const at = (y * box.w + x) * 4
      for (let c = 0; c < 3; c++) pixels[at + c] = Math.floor(random() * 256)
      pixels[at + 3] = Math.round(255 * Math.min(1, Math.max(0, (0.95 - distance) * 4)))
    }
  }
  return { width: box.w, height: box.h, channels: 4, icc: null, depth: 8, pixels }
}

/** A candidate as the engine would hand it over, made for the present scene and mask of a document. */
export async function candidateFor(document: LarkspurDocument, folder: string, box: Box, patch: Picture8 = softPatch(box, 7)): Promise<Candidate> {
  const blobs = new BlobStore(join(folder, 'blobs'))
  const { scene, mask } = await document.jobInputs()
  const facts = { provider: 'cpu', app: 'test', seconds: {}, scores: { identity: null, text: null }, changedOutsideMask: 0, contextBox: box, notices: [] }
  return { recipe: recipeOf(scene, mask), patch: await blobs.put(patch), box, facts }
}

function recipeOf(scene: Candidate['recipe']['scene'], mask: Candidate['recipe']['mask']): Candidate['recipe'] {
  return {
    format: 1,
    mode: 'text',
    model: { id: 'mini', sha256: 'a'.repeat(64) },
    scene,
    mask,
    subjects: [],
    prompt: 'a ripe pear',
    negative: '',
    beta: 0.3,
    placement: null,
    guideStrength: 0.5,
    detailTransfer: 0,
    contextBox: null,
    contextPadding: 1.3,
    size: 512,
    featherPx: 4,
    sampler: 'ddim',
    steps: 20,
    guidance: 7.5,
    rescale: 0,
    seed: 7,
    refine: true,
    speed: EXACT_SPEED,
    unconditionalBeta: null,
  }
}

/** A mask tile of one value, or with a filled rectangle. */
export function tile(column: number, row: number, value: number, rectangle: Box = { x: 0, y: 0, w: 512, h: 512 }): MaskTile {
  const coverage = new Uint8Array(512 * 512)
  for (let y = rectangle.y; y < rectangle.y + rectangle.h; y++) coverage.fill(value, y * 512 + rectangle.x, y * 512 + rectangle.x + rectangle.w)
  return { column, row, coverage }
}

export async function paint(document: LarkspurDocument, ...tiles: MaskTile[]): Promise<void> {
  await document.apply({ kind: 'paint-mask', label: 'Brush', tiles })
}

/** What is the same however a document came to be open. */
export function lasting(state: DocumentState): Omit<DocumentState, 'id' | 'path' | 'revision' | 'undo' | 'redo' | 'saved' | 'name'> {
  const { width, height, depth, profile, turns, currentTurn, subjects, mask } = state
  return { width, height, depth, profile, turns, currentTurn, subjects, mask: { revision: 0, bounds: mask.bounds } }
}

/** The same for the same lasting state, in whatever order its keys came. */
export function lastingText(state: DocumentState): string {
  const sorted = (_key: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return JSON.stringify(lasting(state), sorted)
}

export function lastingHash(state: DocumentState): string {
  return createHash('sha256').update(lastingText(state)).digest('hex')
}

/** The UserError of a failing call; its message must be one line. */
export async function failureOf(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  if (error.message.includes('\n')) throw new Error(`expected one line, got ${error.message}`)
  return error
}
