import type { Box } from '../../contract/basics.ts'
import type { StageIdentity } from '../../contract/dataset.ts'
import { FACE_SETTINGS, openFaceFinder, type Face, type FaceSearch } from '../../engine/assist/face-finder.ts'
import { readFileOrExplain } from '../../pictures/files.ts'
import { sha256Of } from '../../pictures/blob-store.ts'
import type { FaceFinder, Photo } from '../stages.ts'

/** The two files of the network, as its package has them. */
export interface FaceFiles {
  readonly manifest: string
  readonly weights: string
}

/** Faces by the Tiny Face Detector. @throws UserError when a file is not there */
export async function openOfflineFaces({ manifest, weights }: FaceFiles): Promise<FaceFinder> {
  const identity: StageIdentity = {
    name: 'offline-faces',
    version: 1,
    options: { ...FACE_SETTINGS },
    weights: [{ file: 'tiny_face_detector_model.bin', sha256: sha256Of(await readFileOrExplain(weights)) }],
  }
  return new OfflineFaces(openFaceFinder(manifest), identity)
}

class OfflineFaces implements FaceFinder {
  readonly identity: StageIdentity
  private readonly search: FaceSearch

  constructor(search: FaceSearch, identity: StageIdentity) {
    this.search = search
    this.identity = identity
  }

  async faces({ picture }: Photo): Promise<Box[]> {
    const found = await this.search.find(picture)
    return found.map((face) => inside(face, picture)).filter((box) => box !== null)
  }

  async release(): Promise<void> {
    await this.search.release()
  }
}

/** The whole pixels of a face that lie in the picture. */
function inside({ x, y, w, h }: Face, picture: { readonly width: number; readonly height: number }): Box | null {
  const [left, top] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))]
  const [right, bottom] = [Math.min(picture.width, Math.ceil(x + w)), Math.min(picture.height, Math.ceil(y + h))]
  return right > left && bottom > top ? { x: left, y: top, w: right - left, h: bottom - top } : null
}
