import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { createDocuments, type Documents, type DocumentsOptions } from '../../../src-main/documents/index.ts'

export * from './profiles.ts'
export * from './session.ts'

const folders: string[] = []
const keepers: Documents[] = []
afterEach(async () => {
  for (const documents of keepers.splice(0)) await documents.close()
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'larkspur-test-'))
  folders.push(folder)
  return folder
}

/** Documents in a folder of their own, in this thread. */
export async function documentsIn(folder: string, options: Partial<DocumentsOptions> = {}): Promise<Documents> {
  const documents = await createDocuments({ recoveryFolder: join(folder, 'recovery'), blobFolder: join(folder, 'blobs'), inThisThread: true, ...options })
  keepers.push(documents)
  return documents
}
