import type { Captioner, Tag, Tagger } from '../stages.ts'
import type { Florence } from './florence.ts'
import { placedPhrases, placeText, wordsOf } from './florence-answers.ts'

const OBJECTS = '<OD>'
const REGION = '<REGION_TO_DESCRIPTION>'

/** Tags are the names of the objects that Florence-2 finds, in the order it names them: it gives no scores, so the order is all that `score` says. */
export function florenceTagger(florence: Florence): Tagger {
  return {
    identity: florence.identityOf('tagger', 1, OBJECTS),
    release: () => florence.release(),
    async tag({ picture }) {
      const found = placedPhrases(await florence.ask(picture, OBJECTS), picture.width, picture.height)
      const names = [...new Set(found.map(({ phrase }) => phrase.toLowerCase()))]
      return names.map((tag, rank): Tag => ({ tag, group: null, score: 1 - rank / names.length }))
    },
  }
}

/** Regional text by the region's box in the whole photo, which shows what surrounds it. Where the answer has no words the tag is the text. */
export function florenceCaptioner(florence: Florence): Captioner {
  return {
    identity: florence.identityOf('captioner', 1, REGION),
    release: () => florence.release(),
    async caption({ picture }, objects) {
      const texts: string[] = []
      for (const { box, tag } of objects) {
        const answer = await florence.ask(picture, REGION, placeText(box, picture.width, picture.height))
        const words = wordsOf(answer)
        texts.push(words === '' ? tag : words)
      }
      return texts
    },
  }
}
