import { join } from 'node:path'
import type { DocumentState } from '../../src-main/contract/document.ts'
import { createDocuments } from '../../src-main/documents/index.ts'
import { candidateFor, lastingHash, randomFrom, tile } from '../unit/documents/session.ts'

/**
 * Works on a document for ever, for `documents-killed.test.ts` to kill: says `doing N` before a change and `done N hash` once it is answered.
 * Arguments: folder, path of a photo, seed.
 */
const [folder, photo, seed] = process.argv.slice(2) as [string, string, string]
const random = randomFrom(Number(seed))
const say = (line: string) => process.stdout.write(`${line}\n`)
const documents = await createDocuments({ recoveryFolder: join(folder, 'recovery'), blobFolder: join(folder, 'blobs') })
say('opening')
const document = await documents.open({ path: photo })
say(`opened ${document.id} ${lastingHash(document.state)}`)

const box = { x: 100, y: 80, w: 300, h: 200 }
await document.apply({ kind: 'paint-mask', label: 'First', tiles: [tile(0, 0, 255)] })
const candidate = await candidateFor(document, folder, box)
say(`ready ${lastingHash(document.state)}`)

function changeOf(state: DocumentState, n: number): () => Promise<unknown> {
  const turn = state.turns[Math.floor(random() * state.turns.length)]
  const kinds: (() => Promise<unknown>)[] = [
    async () => await document.apply({ kind: 'paint-mask', label: `Stroke ${n}`, tiles: [tile(0, 0, 1 + (n % 250)), tile(1, 0, 1 + (n % 100))] }),
    async () => await document.apply({ kind: 'accept-candidate', candidate, label: `Turn ${n}` }),
    async () => await document.apply({ kind: 'set-layer', layer: 'photo', change: { name: `Photo ${n}` } }),
    async () => await document.apply({ kind: 'go-to-turn', turn: turn?.id ?? 'root' }),
    async () => await document.undo(),
    async () => await document.redo(),
    async () => await document.saveTo(join(folder, 'kept.larkspur')),
  ]
  return kinds[Math.floor(random() * kinds.length)] as () => Promise<unknown>
}

for (let n = 0; ; n++) {
  const change = changeOf(document.state, n)
  say(`doing ${n}`)
  await change()
  say(`done ${n} ${lastingHash(document.state)}`)
}
