import { DEFAULT_SETTINGS, type ChannelIn, type Settings } from '../../src-main/contract/channels.ts'
import type { Calls } from './bridge.ts'

export class SettingsStore {
  /** The defaults hold until main has answered; main owns the file. */
  value = $state.raw<Settings>(DEFAULT_SETTINGS)
  loaded = $state(false)
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
    calls.bridge.on('settings.changed', (settings) => {
      this.value = settings
    })
  }

  async load(): Promise<void> {
    const settings = await this.#calls.attempt('settings.get', null)
    if (settings) this.value = settings
    this.loaded = true
  }

  /** Shows the change at once and lets main keep it. */
  async set(change: ChannelIn<'settings.set'>): Promise<void> {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
    this.value = { ...this.value, ...given }
    await this.#calls.attempt('settings.set', change)
  }

  /** A hint of the first start that has done its work does not come again. */
  hintDone(hint: string): void {
    if (this.value.hintsSeen.includes(hint)) return
    void this.set({ hintsSeen: [...this.value.hintsSeen, hint] })
  }
}
