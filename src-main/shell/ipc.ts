import type { IpcMain, IpcMainInvokeEvent } from 'electron'
import type { z } from 'zod'
import type { Failure } from '../contract/basics.ts'
import { channels, type ChannelIn, type ChannelName, type ChannelOut } from '../contract/channels.ts'
import { UserError } from '../contract/errors.ts'

/** What answers each channel of the contract; a missing or extra one does not compile. */
export type ChannelAnswers = { readonly [N in ChannelName]: (input: ChannelIn<N>) => ChannelOut<N> | Promise<ChannelOut<N>> }

/** How an answer crosses: Electron would flatten a rejection to a string. */
export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly failure: Failure }

export interface IpcHooks {
  /** Whether a call comes from the main frame of our own window and page. */
  readonly isOurs: (event: IpcMainInvokeEvent) => boolean
  /** A failure that was not the person's: written to the log. */
  readonly onDefect: (channel: ChannelName, error: unknown) => void
}

/** Registers a handler for every channel. */
export function serveChannels(ipc: IpcMain, answers: ChannelAnswers, hooks: IpcHooks): void {
  for (const name of channelNames()) {
    ipc.handle(channelAddress(name), async (event, input: unknown): Promise<Answer> => {
      if (!hooks.isOurs(event)) return { ok: false, failure: { code: 'not-allowed', message: `${name}: the call does not come from Larkspur's own page` } }
      return await answerCall(name, answers, input, hooks.onDefect)
    })
  }
}

/** One call: parse what came in, answer it, parse what goes out. Never rejects. */
export async function answerCall<N extends ChannelName>(name: N, answers: ChannelAnswers, input: unknown, onDefect: IpcHooks['onDefect']): Promise<Answer> {
  const channel: { in: z.ZodType; out: z.ZodType } = channels[name]
  const parsed = channel.in.safeParse(input)
  if (!parsed.success) return { ok: false, failure: { code: 'bad-call', message: `${name}: ${firstIssue(parsed.error)}` } }
  try {
    const value = await answers[name](parsed.data as ChannelIn<N>)
    return { ok: true, value: channel.out.parse(value) }
  } catch (error) {
    if (error instanceof UserError) return { ok: false, failure: { code: error.code, message: error.message } }
    onDefect(name, error)
    return {
      ok: false,
      failure: { code: 'defect', message: `Something in Larkspur is wrong (${name}): ${error instanceof Error ? error.message : String(error)}` },
    }
  }
}

export function channelNames(): ChannelName[] {
  return Object.keys(channels) as ChannelName[]
}

export function channelAddress(name: ChannelName): string {
  return `larkspur:${name}`
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue ? [issue.path.join('.'), issue.message].filter(Boolean).join(': ') : 'unreadable'
}
