import type { Box } from '../contract/basics.ts'
import type { NamedColour, StageIdentity } from '../contract/dataset.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'

/**
 * A photo as the stages see it: 8-bit sRGB on white, its longer side at most `WORK_SIDE`. Every box and mask of a stage is in pixels of `picture`; only the writing of
 * the results goes back to the photo's own size.
 */
export interface Photo {
  /** Of the file's bytes. */
  readonly sha256: string
  /** What messages call it. */
  readonly file: string
  readonly picture: Rgb
}
export const WORK_SIDE = 1024

/**
 * What all stages have. `identity` is the stage's part of the cache's key: whatever changes a result must be in it (a published model: its folder's revision and the SHA-256 of each weight
 * file; every option). Same identity, same photo, same input: same result, to the byte, in any process and order. A stage must not keep anything of one photo that changes the next one's result.
 */
interface Stage {
  readonly identity: StageIdentity
  /** Frees networks; the stage may be used again and then opens them anew. */
  release(): Promise<void>
}

/** A word for something in the photo, lower case, singular, English. */
export interface Tag {
  readonly tag: string
  /** The class above it in the tagger's vocabulary, null where there is none. */
  readonly group: string | null
  /** 0 .. 1, comparable inside one photo only. */
  readonly score: number
}

/** Says what may be in the photo, surest first. Words that are no things are taken out behind it. */
export interface Tagger extends Stage {
  tag(photo: Photo): Promise<Tag[]>
}

/** A tag with its place. */
export interface Located extends Tag {
  readonly box: Box
  /** 0 .. 1: how sure the place is; `score` says how sure the word is. */
  readonly placeScore: number
  /** Pixels that surely belong to the object, for segmenters that take clicks; may be empty. */
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

/** Finds places of the tags. It may give an object a word of its own, and any number of objects to one tag. Boxes lie inside the picture. */
export interface Localizer extends Stage {
  localize(photo: Photo, tags: readonly Tag[]): Promise<Located[]>
}

/** A mask that is stored for its box alone: `coverage` has the box's size. Tight: each side of the box touches coverage above one half. */
export interface RegionMask {
  readonly box: Box
  readonly coverage: Coverage
}

export interface Segmented {
  /** Null when nothing was found in the box. */
  readonly mask: RegionMask | null
  /** The segmenter's own guess of the mask's IoU, null where it makes none. */
  readonly predictedIou: number | null
  readonly stability: number | null
}

/** One answer an object, in their order. */
export interface Segmenter extends Stage {
  segment(photo: Photo, objects: readonly Located[]): Promise<Segmented[]>
}

/** An object that passed the filters. */
export interface Found extends Located {
  readonly mask: RegionMask
  readonly colours: readonly NamedColour[]
  /** Where in the photo, in words: `left`, `upper right`, `centre`. */
  readonly place: string
  /** How big: `small`, `medium`, `large`. */
  readonly size: string
}

/** The regional text of each object, in their order; one line, no line breaks. */
export interface Captioner extends Stage {
  caption(photo: Photo, objects: readonly Found[]): Promise<string[]>
}

/** Boxes of faces; not one of the paper's four, but its filters need it. */
export interface FaceFinder extends Stage {
  faces(photo: Photo): Promise<Box[]>
}

/** The data engine's stages, as a build is given them. */
export interface Stages {
  readonly tagger: Tagger
  readonly localizer: Localizer
  readonly segmenter: Segmenter
  readonly captioner: Captioner
  readonly faces: FaceFinder | null
}
