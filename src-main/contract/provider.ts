import { z } from 'zod'

/** ONNX Runtime's execution providers that Larkspur knows. */
export const providerNameSchema = z.enum(['cpu', 'webgpu', 'dml', 'coreml', 'cuda'])
export type ProviderName = z.infer<typeof providerNameSchema>
/** What a person may ask for. */
export const providerWishSchema = z.enum(['auto', ...providerNameSchema.options])
export type ProviderWish = z.infer<typeof providerWishSchema>

/** What came of trying a provider with a small network, beside the cpu provider, in a process of its own. */
export const probeAnswerSchema = z.strictObject({
  provider: providerNameSchema,
  works: z.boolean(),
  /** Why it does not, one line; empty when it does. */
  reason: z.string(),
  /** How many times as fast as the processor; null where that was not timed. */
  speed: z.number().positive().nullable(),
  /** A graphics card made of software: right, and far slower than the cpu provider. */
  software: z.boolean(),
  /** Whether it computes in 16-bit floats. */
  halves: z.boolean(),
  /** Whether its fused attention gives right numbers. */
  fusedAttention: z.boolean(),
})
export type ProbeAnswer = z.infer<typeof probeAnswerSchema>

/** The answer for a process that gave none. */
export function noAnswer(provider: ProviderName, reason: string): ProbeAnswer {
  return { provider, works: false, reason, speed: null, software: false, halves: false, fusedAttention: false }
}
