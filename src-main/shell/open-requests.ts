import { resolve } from 'node:path'
import { z } from 'zod'

/**
 * Files named on the command line, absolute. Switches are Chromium's or ours and are passed over; when the program is not packaged, the first plain
 * argument is the folder of the application itself.
 */
export function filesOfArguments(argv: readonly string[], where: { cwd: string; packaged: boolean }): string[] {
  const plain = argv.slice(1).filter((argument) => !argument.startsWith('-'))
  return plain.slice(where.packaged ? 0 : 1).map((file) => resolve(where.cwd, file))
}

/** `npm start` asks for a sample document when no file is named. */
export function wantsSample(argv: readonly string[]): boolean {
  return argv.includes('--sample')
}

const handedSchema = z.object({ files: z.array(z.string()) })

/** What a second instance handed over; nothing when it is not ours. */
export function filesHanded(handed: unknown): string[] {
  const parsed = handedSchema.safeParse(handed)
  return parsed.success ? parsed.data.files : []
}
