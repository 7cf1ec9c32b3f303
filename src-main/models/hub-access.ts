/** How the hub is reached. */
export interface HubAccess {
  /** The hub or a mirror of it, such as `https://huggingface.co`; no slash at the end. */
  readonly endpoint: string
  /** `http://host:port`; null: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment. */
  readonly proxy: string | null
  /** Sent to the endpoint alone and kept out of every message. */
  readonly token: string | null
}

export const PUBLIC_HUB = 'https://huggingface.co'
