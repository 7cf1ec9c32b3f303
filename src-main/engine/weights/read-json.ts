import { readFile, stat } from 'node:fs/promises'
import type { z } from 'zod'
import { UserError } from '../../contract/errors.ts'

/** Vocabularies are the longest, under 3 MB. */
const MAX_JSON_BYTES = 32_000_000

/**
 * A JSON file checked against `schema`.
 * @throws UserError `model-missing` when there is none, `bad-config` with the first thing that is wrong
 */
export async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > MAX_JSON_BYTES) throw new UserError('bad-config', `${path} has ${size} bytes, expected a config of at most ${MAX_JSON_BYTES}.`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError('model-missing', `${path}: no such file; expected a JSON file.`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new UserError('bad-config', `${path} is not JSON.`)
  }
  return checked(path, value, schema)
}

/** `value` by `schema`; `label` says where it came from. @throws UserError `bad-config` */
export function checked<S extends z.ZodType>(label: string, value: unknown, schema: S): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`
  throw new UserError('bad-config', `${label}${where}: ${issue?.message ?? 'not as expected'}.`)
}
