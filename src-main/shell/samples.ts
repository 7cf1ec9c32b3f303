import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'

const sampleSchema = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  /** File beside `samples.json`. */
  scene: z.string().min(1),
  /** Subject pictures that suit this scene, files beside `samples.json`. */
  subjects: z.array(z.string()),
})
export type Sample = z.infer<typeof sampleSchema>

/** The sample documents that come with the application. */
export class Samples {
  readonly list: readonly Sample[]
  readonly #folder: string

  constructor(resources: string) {
    this.#folder = join(resources, 'samples')
    this.list = z.object({ samples: z.array(sampleSchema).min(1) }).parse(JSON.parse(readFileSync(join(this.#folder, 'samples.json'), 'utf8'))).samples
  }

  /** @throws UserError `no-sample` */
  scene(id: string): { path: string; name: string } {
    const sample = this.list.find((each) => each.id === id)
    if (!sample) throw new UserError('no-sample', `sample "${id}": not there; expected one of ${this.list.map((each) => each.id).join(', ')}`)
    return { path: join(this.#folder, sample.scene), name: sample.name }
  }
}
