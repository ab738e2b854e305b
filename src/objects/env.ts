import type { Settings } from "../config.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import type { Queue } from "./queue.ts";
import type { Service } from "./service.ts";

/** Bindings of the Worker (`wrangler.toml`) and the operator's settings. */
export interface Env extends Settings {
  readonly CONNECTION: DurableObjectNamespace<Connection>;
  readonly QUEUE: DurableObjectNamespace<Queue>;
  readonly LINK: DurableObjectNamespace<Link>;
  readonly SERVICE: DurableObjectNamespace<Service>;
  /** Reached only through `relay-object.ts`: this class answers every request it is sent. */
  readonly RELAY: DurableObjectNamespace;
  /**
   * Only on this machine, never on Cloudflare: the folders of the objects' files. Here an object that is merely asked
   * leaves a file behind, so unknown ids are looked up first.
   */
  readonly QUEUE_FILES?: Fetcher;
  readonly LINK_FILES?: Fetcher;
}
