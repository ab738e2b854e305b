import type { Settings } from "../config.ts";

/** Bindings of the Worker (`wrangler.toml`) and the operator's settings. */
export interface Env extends Settings {
  // What the objects offer each other is in `api.ts`; `locate.ts` finds them.
  readonly CONNECTION: DurableObjectNamespace;
  readonly QUEUE: DurableObjectNamespace;
  readonly LINK: DurableObjectNamespace;
  readonly SERVICE: DurableObjectNamespace;
  readonly DESTINATION: DurableObjectNamespace;
  readonly NTF_CONNECTION: DurableObjectNamespace;
  readonly DEVICE: DurableObjectNamespace;
  readonly DEVICE_TOKENS: DurableObjectNamespace;
  readonly FOLLOWER: DurableObjectNamespace;
  /** Reached only through `relay-object.ts`: this class answers every request it is sent. */
  readonly RELAY: DurableObjectNamespace;
  /** Files of the web client: `[assets]` on Cloudflare, the process that started the relay on this machine. */
  readonly WEB?: Fetcher;
  /**
   * Only on this machine, never on Cloudflare: the folders of the objects' files. Here an object that is merely asked
   * leaves a file behind, so unknown ids are looked up first.
   */
  readonly QUEUE_FILES?: Fetcher;
  readonly LINK_FILES?: Fetcher;
  readonly SERVICE_FILES?: Fetcher;
  readonly DEVICE_FILES?: Fetcher;
  /** Only on this machine: the network that other relays are reached through, which refuses addresses by itself. */
  readonly OUTSIDE?: Fetcher;
  /**
   * Only on this machine: what posts pushes for the Worker, to the URL of the request. It speaks HTTP/2 too, and refuses
   * addresses by itself. On Cloudflare they go out by the platform's own `fetch`.
   */
  readonly PUSHES?: Fetcher;
}
