import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { basename } from 'node:path'
import type { StageIdentity } from '../../contract/dataset.ts'
import { UserError } from '../../contract/errors.ts'
import { openClickSelect, type ClickSelectFiles } from '../../engine/assist/click-select.ts'
import { openCutOut } from '../../engine/assist/cutout.ts'
import { loadClip } from '../../engine/load-clip.ts'
import { fileReason } from '../../pictures/files.ts'
import { canonicalJson } from '../canonical.ts'
import { describe } from './captioner.ts'
import { openOfflineFaces, type FaceFiles } from './faces.ts'
import { iouOf, mainPiece, overlapOf, areaOf, regionOf, grownBox } from '../region-mask.ts'
import type { Captioner, Located, Localizer, Photo, RegionMask, Segmented, Segmenter, Stages, Tagger } from '../stages.ts'
import { Looks } from './looks.ts'
import { objectTag, photoTags } from './naming.ts'
import { GRID, gridProposals, innerPoint, salientPieces, saliencyScore, stabilityOf, type Proposal } from './proposals.ts'
import { clipVocabulary, readVocabulary } from './vocabulary.ts'
import { openWordHead, type WordHead } from './word-head.ts'

/** Where what the offline stages need lies. */
export interface OfflineFiles {
  /** `u2netp.onnx` */
  readonly cutout: string
  /** SAM 2 tiny; null finds only what stands out, a hundred times quicker. */
  readonly clickSelect: ClickSelectFiles | null
  /** What `training/mini/tagger.py` wrote. */
  readonly tagger: string
  /** Words for what the tagger does not know. */
  readonly vocabulary: string
  /** Folder of the CLIP that is asked for them. */
  readonly clip: string
  /** Files of that folder whose hashes stand for it. */
  readonly clipWeights: readonly string[]
  /** Null: nobody looks for faces. */
  readonly faces: FaceFiles | null
}

const TAGS = 12
const SALIENT_AREA = 0.01
const SALIENT_PIECES = 4
/** Where both networks agree this far, the saliency's mask is taken: its border was pulled onto the picture's edges. */
const AGREEMENT = 0.8

/** The offline default. @throws UserError when a file is not there */
export async function openOfflineStages(files: OfflineFiles): Promise<Stages> {
  const words = await readVocabulary(files.vocabulary)
  const [head, vocabularyHash] = [await openWordHead(files.tagger), createHash('sha256').update(canonicalJson(words)).digest('hex')]
  const naming = [
    await weightsOf(files.tagger),
    { file: basename(files.vocabulary), sha256: vocabularyHash },
    ...(await Promise.all(files.clipWeights.map(weightsOf))),
  ]
  const looking = [
    await weightsOf(files.cutout),
    ...(files.clickSelect === null ? [] : [await weightsOf(files.clickSelect.encoder), await weightsOf(files.clickSelect.decoder)]),
  ]
  const { clickSelect } = files
  const looks = new Looks(() => openCutOut(files.cutout), clickSelect === null ? null : () => openClickSelect(clickSelect))
  const vocabulary = clipVocabulary(words, () => loadClip(files.clip))
  const objects = clickSelect === null ? 'salient' : 'all'
  return {
    tagger: new OfflineTagger(head, vocabulary, { name: 'offline-words', version: 1, options: { most: TAGS }, weights: naming }),
    localizer: new OfflineLocalizer(head, vocabulary, looks, {
      name: 'offline-proposals',
      version: 1,
      options: { objects, ...(clickSelect === null ? {} : { ...GRID }), salientArea: SALIENT_AREA, salientPieces: SALIENT_PIECES },
      weights: [...naming, ...looking],
    }),
    segmenter: new OfflineSegmenter(looks, { name: 'offline-masks', version: 1, options: { objects, agreement: AGREEMENT }, weights: looking }),
    captioner: new OfflineCaptioner(),
    faces: files.faces === null ? null : await openOfflineFaces(files.faces),
  }
}

class OfflineTagger implements Tagger {
  readonly identity: StageIdentity
  private readonly head: WordHead
  private readonly vocabulary: Parameters<typeof photoTags>[1]

  constructor(head: WordHead, vocabulary: Parameters<typeof photoTags>[1], identity: StageIdentity) {
    this.head = head
    this.vocabulary = vocabulary
    this.identity = identity
  }

  async tag(photo: Photo): ReturnType<Tagger['tag']> {
    return await photoTags(this.head, this.vocabulary, photo.picture, TAGS)
  }

  async release(): Promise<void> {}
}

class OfflineLocalizer implements Localizer {
  readonly identity: StageIdentity
  private readonly head: WordHead
  private readonly vocabulary: Parameters<typeof photoTags>[1]
  private readonly looks: Looks

  constructor(head: WordHead, vocabulary: Parameters<typeof photoTags>[1], looks: Looks, identity: StageIdentity) {
    this.head = head
    this.vocabulary = vocabulary
    this.looks = looks
    this.identity = identity
  }

  async localize(photo: Photo, tags: Parameters<Localizer['localize']>[1]): Promise<Located[]> {
    const { picture } = photo
    const pieces = salientPieces(await this.looks.saliency(photo), SALIENT_AREA, SALIENT_PIECES)
    const proposals: Proposal[] = pieces.map((piece) => ({ box: piece.box, points: [innerPoint(piece)], score: saliencyScore(piece) }))
    if (this.looks.canSelect) proposals.push(...(await gridProposals(await this.looks.selectable(photo), picture.width, picture.height, GRID)))
    const located: Located[] = []
    for (const { box, points, score } of proposals) {
      const tag = await objectTag(this.head, this.vocabulary, picture, grownBox(box, 0.04, picture.width, picture.height), tags)
      located.push({ ...tag, box, points, placeScore: rounded(score) })
    }
    return located
  }

  release(): Promise<void> {
    this.looks.release()
    return Promise.resolve()
  }
}

/** Masks of boxes: what stands out, or SAM 2's answer to the box and a point in it, its best by its own guess; both where both agree. */
class OfflineSegmenter implements Segmenter {
  readonly identity: StageIdentity
  private readonly looks: Looks

  constructor(looks: Looks, identity: StageIdentity) {
    this.looks = looks
    this.identity = identity
  }

  async segment(photo: Photo, objects: readonly Located[]): Promise<Segmented[]> {
    const pieces = salientPieces(await this.looks.saliency(photo), SALIENT_AREA, SALIENT_PIECES)
    if (!this.looks.canSelect) return objects.map(({ box }) => salientAnswer(pieces, box))
    const selectable = await this.looks.selectable(photo)
    const answers = await selectable.ask(objects.map(({ box, points }) => ({ box, include: points.slice(0, 1) })))
    return answers.map((choices, at) => {
      const best = choices.reduce((a, b) => (b.predictedIou > a.predictedIou ? b : a))
      const region = regionOf(selectable.coverage(best.logits))
      const mask = region === null ? null : mainPiece(region).piece
      const box = objects[at]?.box
      const piece = mask === null || box === undefined ? undefined : pieces.find((one) => iouOf(one, mask) >= AGREEMENT)
      return { mask: piece ?? mask, predictedIou: rounded(best.predictedIou), stability: rounded(stabilityOf(best.logits)) }
    })
  }

  release(): Promise<void> {
    this.looks.release()
    return Promise.resolve()
  }
}

/** The piece that fills the box best. */
function salientAnswer(pieces: readonly RegionMask[], box: Located['box']): Segmented {
  const whole: RegionMask = { box, coverage: { width: box.w, height: box.h, pixels: new Uint8Array(box.w * box.h).fill(255) } }
  const ranked = pieces.map((piece) => ({ piece, share: overlapOf(piece, whole) / areaOf(piece) })).sort((a, b) => b.share - a.share)
  const [best] = ranked
  if (best === undefined || best.share < 0.5) return { mask: null, predictedIou: null, stability: null }
  return { mask: best.piece, predictedIou: null, stability: rounded(coverageStability(best.piece)) }
}

/** IoU of coverage above 70 % with coverage above 30 %. */
function coverageStability({ coverage }: RegionMask): number {
  let [tight, wide] = [0, 0]
  for (const value of coverage.pixels) {
    if (value > 178) tight++
    if (value > 77) wide++
  }
  return wide === 0 ? 0 : tight / wide
}

class OfflineCaptioner implements Captioner {
  readonly identity = { name: 'offline-captions', version: 1, options: {}, weights: [] }

  caption(_photo: Photo, objects: Parameters<Captioner['caption']>[1]): Promise<string[]> {
    return Promise.resolve(objects.map(describe))
  }

  async release(): Promise<void> {}
}

async function weightsOf(path: string): Promise<{ file: string; sha256: string }> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
  } catch (error) {
    throw new UserError('model-missing', `${path}: ${fileReason(error)}; expected a network of the data engine`)
  }
  return { file: basename(path), sha256: hash.digest('hex') }
}

function rounded(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4
}
