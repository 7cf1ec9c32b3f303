import type { Failure } from '../../src-main/contract/basics.ts'
import type { ChannelIn, ChannelName, ChannelOut, LarkspurBridge } from '../../src-main/contract/channels.ts'

declare global {
  interface Window {
    /** Made by preload; absent when the page is opened outside the app. */
    readonly larkspur?: LarkspurBridge
  }
}

/** Whatever was thrown, as the one line and code that the window shows. */
export function asFailure(thrown: unknown): Failure {
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : 'defect'
    return { code, message: String(thrown.message) }
  }
  return { code: 'defect', message: String(thrown) }
}

/** The bridge with the habit of the window: a call that fails becomes one line on the screen, never an unhandled rejection. */
export class Calls {
  readonly bridge: LarkspurBridge
  readonly #onFailure: (failure: Failure) => void

  constructor(bridge: LarkspurBridge, onFailure: (failure: Failure) => void) {
    this.bridge = bridge
    this.#onFailure = onFailure
  }

  /** Answers undefined after a failure that has been shown; null stays what the channel says it means (a closed dialog). */
  async attempt<N extends ChannelName>(name: N, input: ChannelIn<N>): Promise<ChannelOut<N> | undefined> {
    try {
      return await this.bridge.call(name, input)
    } catch (thrown) {
      this.#onFailure(asFailure(thrown))
      return undefined
    }
  }
}
