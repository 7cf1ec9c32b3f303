import { Agent, Dispatcher, ProxyAgent } from 'undici'

export interface Proxies {
  /** For https addresses, null: straight. */
  readonly https: string | null
  readonly http: string | null
  /** Hosts that are reached straight: names with their sub-domains, `name:port`, or `*`. */
  readonly straight: readonly string[]
}

/** The proxies of the environment (upper or lower case names, as curl reads them); `setting` stands before them. */
export function proxiesOf(setting: string | null, environment: Readonly<Record<string, string | undefined>>): Proxies {
  const named = (name: string): string | null => environment[name.toLowerCase()] || environment[name] || null
  const http = setting ?? named('HTTP_PROXY')
  return {
    https: setting ?? named('HTTPS_PROXY') ?? http,
    http,
    straight: (named('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== ''),
  }
}

/** @returns the proxy to ask for an address, null for none */
export function proxyFor(address: URL, { https, http, straight }: Proxies): string | null {
  const host = address.hostname.toLowerCase()
  const port = address.port || (address.protocol === 'https:' ? '443' : '80')
  const goesStraight = straight.some((entry) => {
    const [, name = '', onPort] = /^\*?\.?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
    if (entry === '*') return true
    return (onPort === undefined || onPort === port) && name !== '' && (host === name || host.endsWith(`.${name}`))
  })
  return goesStraight ? null : address.protocol === 'https:' ? https : http
}

/** Sends each request straight or through its proxy; redirects to another host are judged anew. */
export class ProxyChooser extends Dispatcher {
  readonly #proxies: Proxies
  readonly #options: Agent.Options
  readonly #straight: Agent
  readonly #through = new Map<string, ProxyAgent>()

  constructor(proxies: Proxies, options: Agent.Options) {
    super()
    this.#proxies = proxies
    this.#options = options
    this.#straight = new Agent(options)
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandlers): boolean {
    const proxy = proxyFor(new URL(String(options.origin)), this.#proxies)
    return (proxy === null ? this.#straight : this.#agent(proxy)).dispatch(options, handler)
  }

  override destroy(): Promise<void> {
    return Promise.all([this.#straight, ...this.#through.values()].map(async (agent) => await agent.destroy())).then(() => undefined)
  }

  #agent(proxy: string): ProxyAgent {
    const known = this.#through.get(proxy)
    if (known) return known
    const made = new ProxyAgent({ ...this.#options, uri: proxy })
    this.#through.set(proxy, made)
    return made
  }
}
