import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { evaluationPlanSchema } from '../contract/evaluation.ts'
import { writeFileWhole } from '../pictures/files.ts'

const PLAN_NAME = 'evaluation.json'

const keptPlanSchema = z.strictObject({
  format: z.literal(1),
  plan: evaluationPlanSchema,
  /** Id of the model whose own encoders judge; null for a CLIP that takes no part. */
  judgedBy: z.string().nullable(),
})
export type KeptPlan = Omit<z.output<typeof keptPlanSchema>, 'format'>

/** Beside the results lies what they are results of, so that they can be gone on with by whoever finds them. */
export async function keepPlan(out: string, kept: KeptPlan): Promise<void> {
  const text = JSON.stringify({ format: 1, ...kept }, null, 1)
  await writeFileWhole(join(out, PLAN_NAME), new TextEncoder().encode(`${text}\n`))
}

/** Null where there is none, as in folders of before there were any. @throws UserError `bad-results` */
export async function readPlan(out: string): Promise<KeptPlan | null> {
  const path = join(out, PLAN_NAME)
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new UserError('bad-results', `${path}: not JSON, expected the plan of an evaluation`)
  }
  const parsed = keptPlanSchema.safeParse(json)
  if (parsed.success) return { plan: parsed.data.plan, judgedBy: parsed.data.judgedBy }
  const issue = parsed.error.issues[0]
  throw new UserError('bad-results', `${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit the form'}`)
}
