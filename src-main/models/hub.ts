import { HubApiError, modelInfo, pathsInfo } from '@huggingface/hub'
import { z } from 'zod'
import type { CatalogueEntry } from '../contract/model-library.ts'
import { UserError } from '../contract/errors.ts'
import { refusal, type WantedFile } from './fetch-file.ts'

/** A file as the hub has it at one commit, and where it goes. */
export interface PublishedFile extends WantedFile {
  /** Path in the model's folder. */
  readonly path: string
}

export interface Publication {
  readonly repository: string
  /** The commit that the revision stood for when it was asked; what is downloaded is this. */
  readonly commit: string
  /** The licence that the repository names itself, null when it names none. */
  readonly licence: string | null
  readonly files: readonly PublishedFile[]
}

// What a server answers is checked like a file: it may be a mirror, a proxy's error page, or nobody we know.
const infoSchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/), cardData: z.object({ license: z.string().optional() }).nullish() })
const pathSchema = z.object({
  path: z.string(),
  type: z.string(),
  size: z.int().nonnegative(),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).nullish(),
})

/**
 * Asks the hub which commit an entry's revision is, and for sizes and digests of its files there.
 * @param endpoint of the hub or a mirror @param fetchPatiently what the requests go through
 * @throws UserError `download-refused`, `download-failed`, `download-incomplete` when the repository lacks a file
 */
export async function askHub(entry: CatalogueEntry, endpoint: string, fetchPatiently: typeof fetch): Promise<Publication> {
  if (entry.source.kind !== 'hub') {
    throw new UserError('not-downloadable', `"${entry.id}" is published at ${entry.source.address}: fetch it there, then import the file`)
  }
  const { repository, revision } = entry.source
  const access = { hubUrl: endpoint, fetch: fetchPatiently }
  const info = await asking(
    repository,
    infoSchema,
    async () => await modelInfo({ ...access, name: repository, revision, additionalFields: ['sha', 'cardData'] }),
  )
  const known = await asking(repository, z.array(pathSchema), async () => {
    return await pathsInfo({ ...access, repo: { type: 'model', name: repository }, revision: info.sha, paths: entry.files.flatMap(({ from }) => from) })
  })
  const files = entry.files.map(({ from, to }): PublishedFile => {
    const found = from.map((path) => known.find((file) => file.path === path && file.type === 'file')).find((file) => file !== undefined)
    if (!found) throw new UserError('download-incomplete', `${repository} at ${info.sha.slice(0, 12)}: has none of ${from.join(', ')}`)
    const address = found.path.split('/').map(encodeURIComponent).join('/')
    return {
      label: `${repository}: ${found.path}`,
      path: to ?? found.path,
      url: `${endpoint}/${repository}/resolve/${info.sha}/${address}`,
      bytes: found.lfs?.size ?? found.size,
      digest: found.lfs ? { kind: 'sha256', hex: found.lfs.oid } : { kind: 'git', hex: found.oid },
    }
  })
  return { repository, commit: info.sha, licence: info.cardData?.license ?? null, files }
}

async function asking<S extends z.ZodType>(repository: string, schema: S, ask: () => Promise<unknown>): Promise<z.output<S>> {
  let answer: unknown
  try {
    answer = await ask()
  } catch (error) {
    if (error instanceof UserError) throw error
    if (error instanceof HubApiError) throw refusal(error.statusCode, repository)
    throw new UserError('download-failed', `${repository}: the server's answer cannot be read; is the mirror or the proxy right?`)
  }
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError(
    'download-failed',
    `${repository}: the server's answer is not what a hub says (${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'})`,
  )
}
