import { z } from 'zod'
import { UserError } from '../../contract/errors.ts'
import { documentFileSchema, FORMAT_VERSION, type DocumentFile } from '../archive/file-format.ts'

/**
 * Turns `document.json` of format n into that of format n + 1, by n. Every format that was ever written keeps a file under `test/unit/documents/fixtures`
 * that must still open. Format 1 is the first, so there is nothing to turn yet.
 */
const migrations: ReadonlyMap<number, (document: Readonly<Record<string, unknown>>) => Record<string, unknown>> = new Map()

const versionSchema = z.looseObject({ format: z.int().positive() })

/** Reads `document.json` of this or any older version. @throws UserError `bad-document` or `newer-document` */
export function readDocumentFile(text: string, name: string): DocumentFile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UserError('bad-document', `${name}: the document is damaged (document.json is not JSON)`)
  }
  const versioned = versionSchema.safeParse(value)
  if (!versioned.success) throw new UserError('bad-document', `${name}: the document is damaged (document.json has no format number)`)
  const { format } = versioned.data
  if (format > FORMAT_VERSION) {
    throw new UserError('newer-document', `${name}: written by a newer version (format ${format}), this one reads up to format ${FORMAT_VERSION}`)
  }
  let document: Record<string, unknown> = versioned.data
  for (let version = format; version < FORMAT_VERSION; version++) {
    const migrate = migrations.get(version)
    if (migrate === undefined) throw new UserError('bad-document', `${name}: format ${version} cannot be read`)
    document = migrate(document)
  }
  const parsed = documentFileSchema.safeParse(document)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-document', `${name}: the document is damaged (document.json, ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'})`)
}
