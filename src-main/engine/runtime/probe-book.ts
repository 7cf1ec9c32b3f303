import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { probeAnswerSchema, type ProbeAnswer } from '../../contract/provider.ts'
import { writeFileWhole } from '../../pictures/files.ts'
import type { Prober } from './devices.ts'
import { probeKey, readGraphics } from './machine.ts'

const bookSchema = z.strictObject({ key: z.string(), answers: z.array(probeAnswerSchema) })

/**
 * Remembers what came of each provider for as long as application, runtime, system and drivers are the same. A file that cannot be read or written costs a new try, nothing else.
 * @param ask starts the process that tries
 */
export function remembering(file: string, app: string, ask: Prober): Prober {
  const key = probeKey(app, readGraphics())
  return async (provider) => {
    const known = read(file, key)
    const found = known.find((answer) => answer.provider === provider)
    if (found !== undefined) return found
    const answer = await ask(provider)
    await write(file, key, [...known.filter((each) => each.provider !== provider), answer])
    return answer
  }
}

function read(file: string, key: string): readonly ProbeAnswer[] {
  try {
    const book = bookSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
    return book.key === key ? book.answers : []
  } catch {
    return []
  }
}

async function write(file: string, key: string, answers: readonly ProbeAnswer[]): Promise<void> {
  try {
    mkdirSync(dirname(file), { recursive: true })
    await writeFileWhole(file, Buffer.from(JSON.stringify({ key, answers }, null, 2)))
  } catch {
    // A folder that takes no file: the next start tries again.
  }
}
