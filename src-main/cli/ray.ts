import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { wholeNumberIn } from './arguments.ts'
import type { Console } from './console.ts'

/** Options of every command that can be spread over a Ray cluster. */
export interface RayOptions {
  readonly ray?: string
  readonly rayShards?: number
  readonly rayCpus: number
  readonly rayRetries: number
  readonly python?: string
}

export function withRayOptions(command: Command): Command {
  return command
    .option('--ray <address>', 'spread the work over a Ray cluster: auto for the one that runs here, or host:port')
    .option('--ray-shards <n>', 'parts that the work is divided into', wholeNumberIn(1, 100_000))
    .option('--ray-cpus <n>', 'processors that a part takes', wholeNumberIn(1, 1024), 1)
    .option('--ray-retries <n>', 'how often a part that was killed is begun again', wholeNumberIn(0, 100), 5)
    .option('--python <program>', 'a Python that has ray; LARKSPUR_PYTHON or python3 by default')
}

const DRIVER = fileURLToPath(new URL('./ray/driver.py', import.meta.url))
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('joined'), nodes: z.int(), cpus: z.int() }),
  z.object({ event: z.literal('done'), name: z.string(), seconds: z.number(), tries: z.int() }),
  z.object({ event: z.literal('again'), name: z.string(), why: z.string() }),
  z.object({ event: z.literal('failed'), line: z.string() }),
])
type RayEvent = z.output<typeof eventSchema>

export interface RayReport {
  readonly nodes: number
  readonly shards: number
  /** Parts that had to be begun again, counted each time. */
  readonly again: number
}

/**
 * Runs this command in `shards` parts on a cluster: each is the command line as it was typed, with `--shard k/n` and without what is said to Ray.
 * @param args what was typed after the program's name
 * @throws UserError `ray` with one line: no Python, no ray, no cluster, a part that failed
 */
export async function runOnRay(args: readonly string[], shards: number, options: RayOptions & { readonly ray: string }, screen: Console): Promise<RayReport> {
  const base = [process.execPath, ...process.execArgv, ...(process.execArgv.some((word) => word.includes('tsx')) ? [] : ['--import', 'tsx']), MAIN]
  const forwarded = withoutRay(args)
  const tasks = Array.from({ length: shards }, (_, at) => {
    const shard = `${at + 1}/${shards}`
    return { name: `shard ${shard}`, argv: [...base, ...forwarded, '--shard', shard] }
  })
  const job = { address: options.ray, cpus: options.rayCpus, retries: options.rayRetries, cwd: process.cwd(), tasks }
  const report = { nodes: 0, shards, again: 0 }
  let done = 0
  await drive(options.python ?? process.env['LARKSPUR_PYTHON'] ?? 'python3', job, (event) => {
    if (event.event === 'joined') {
      report.nodes = event.nodes
      screen.note(`${event.nodes} node${event.nodes === 1 ? '' : 's'}, ${event.cpus} processors, ${shards} shards`)
    } else if (event.event === 'again') {
      report.again++
      screen.note(`${event.name} is begun again (${event.why})`)
    } else if (event.event === 'done') screen.note(`${++done}/${shards} ${event.name} done in ${event.seconds.toFixed(1)} s`)
  })
  return report
}

const WITH_VALUE = new Set(['--ray', '--ray-shards', '--ray-cpus', '--ray-retries', '--python', '--shard'])

/** What was typed, without what is Ray's business and without --json: nobody reads what a part prints. */
export function withoutRay(args: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    const [option = ''] = word.split('=')
    if (word === '--json') continue
    if (!WITH_VALUE.has(option)) kept.push(word)
    else if (!word.includes('=')) at++
  }
  return kept
}

async function drive(python: string, job: object, onEvent: (event: RayEvent) => void): Promise<void> {
  // Its own environment, with Ray's usage statistics off: nothing leaves the cluster.
  const child = spawn(python, [DRIVER], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, RAY_USAGE_STATS_ENABLED: '0', PYTHONUNBUFFERED: '1' } })
  const errors: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors.push(text)
    if (errors.length > 200) errors.shift()
  })
  let failed: string | null = null
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', () =>
      reject(new UserError('ray', `--ray: the Python "${python}" could not be started; name one that has ray with --python or LARKSPUR_PYTHON`)),
    )
    child.on('close', resolve)
  })
  // It may be gone before it has read anything; how it ended says why.
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${JSON.stringify(job)}\n`)
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = eventOf(line)
      if (event?.event === 'failed') failed = event.line
      else if (event !== null) onEvent(event)
    }
  })()
  const code = await ended
  await reading
  if (failed !== null) throw new UserError('ray', failed)
  if (code === 0) return
  const last = errors.join('').trim().split('\n').at(-1) ?? ''
  throw new UserError('ray', `--ray: the driver ended with ${code ?? 'a signal'}${last === '' ? '' : ` (${last.slice(0, 300)})`}`)
}

/** Ray and what it loads print lines of their own; those are nobody's event. */
function eventOf(line: string): RayEvent | null {
  try {
    const parsed = eventSchema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
