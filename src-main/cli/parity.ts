import { parseArgs } from 'node:util'
import { UserError } from '../contract/errors.ts'
import { providerWishSchema } from '../contract/provider.ts'
import { runParity, type CaseResult, type SetResult } from '../engine/parity/run-parity.ts'
import { devicesFor } from './probe.ts'

/**
 * `parity DIR... [--json] [--provider NAME] [--model FOLDER] [--case TEXT]`: runs reference sets, one line a case with its largest difference and its tolerance.
 * @returns the exit code: 0 all passed, 1 a case failed
 * @throws UserError `bad-arguments` for the command line, others for a folder that is no set
 */
export async function parityCommand(args: readonly string[]): Promise<number> {
  const { folders, json, provider, model, only } = readArguments(args)
  // With --json the only thing on stdout is the object at the end.
  const print = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`)
  const devices = devicesFor(provider)
  const device = await devices.current()
  const left = devices.takeNotice()
  // A parity on another provider than the one asked for would prove nothing.
  if (left !== null) throw new UserError('provider-missing', `Provider ${left.provider} cannot be used here: ${left.reason}.`)
  const sets: SetResult[] = []
  for (const folder of folders) {
    const options = {
      device,
      // Shaders add up in other orders than the processor.
      ...(device.provider === 'cpu' ? {} : { atLeast: 2e-3 }),
      onCase: (result: CaseResult) => print(lineOf(result)),
      ...(model === undefined ? {} : { model }),
      ...(only === undefined ? {} : { only: (name: string) => name.includes(only) }),
    }
    const result = await runParity(folder, options)
    print(`${result.set}: ${result.passed} passed, ${result.failed} failed`)
    sets.push(result)
  }
  const failed = sets.reduce((sum, set) => sum + set.failed, 0)
  if (json) process.stdout.write(`${JSON.stringify({ passed: sets.reduce((sum, set) => sum + set.passed, 0), failed, sets: sets.map(forJson) })}\n`)
  return failed === 0 ? 0 : 1
}

function readArguments(args: readonly string[]) {
  let parsed
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, provider: { type: 'string' }, model: { type: 'string' }, case: { type: 'string' } },
    })
  } catch (error) {
    throw new UserError('bad-arguments', `parity: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  }
  const { values, positionals } = parsed
  const wish = providerWishSchema.safeParse(values.provider ?? 'cpu')
  if (!wish.success) throw new UserError('bad-arguments', `parity: --provider ${values.provider}: expected ${providerWishSchema.options.join(', ')}`)
  if (positionals.length === 0) throw new UserError('bad-arguments', 'parity: expected the folder of a reference set.')
  return { folders: positionals, json: values.json ?? false, provider: wish.data, model: values.model, only: values.case }
}

/** The output nearest to, or farthest beyond, its tolerance stands for its case. */
function lineOf(result: CaseResult): string {
  const mark = result.passed ? 'ok  ' : 'MISS'
  if (result.failure !== null) return `${mark} ${result.name}: ${result.failure}`
  const closeness = (output: CaseResult['outputs'][number]) => (output.passed ? output.maxAbsDiff / (output.tolerance || 1) : output.maxAbsDiff + 2)
  const worst = [...result.outputs].sort((a, b) => closeness(b) - closeness(a))[0]
  if (worst === undefined) return `${mark} ${result.name}: no outputs`
  return `${mark} ${result.name}: ${worst.output} max abs difference ${figure(worst.maxAbsDiff)}, tolerance ${figure(worst.tolerance)}`
}

function figure(value: number): string {
  return value === 0 || !Number.isFinite(value) ? String(value) : value.toPrecision(3)
}

/** JSON has no Infinity: a difference that is none, of shapes say, is null. */
function forJson(set: SetResult) {
  const output = ({ maxAbsDiff, ...rest }: CaseResult['outputs'][number]) => ({ ...rest, maxAbsDiff: Number.isFinite(maxAbsDiff) ? maxAbsDiff : null })
  return { ...set, cases: set.cases.map((one) => ({ ...one, outputs: one.outputs.map(output) })) }
}
