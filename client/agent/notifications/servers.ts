import { formatNtfServer } from "#protocol/ntf/server";
import type { Server } from "#protocol/address";
import { NtfConnection } from "../../ntf/ntf-connection.ts";
import type { RelaySettings } from "../runtime/relays.ts";

/** The connections to notification servers: one for each. */
export class NtfServers {
  readonly #settings: RelaySettings;
  readonly #connections = new Map<string, NtfConnection>();
  #isClosed = false;

  constructor(settings: RelaySettings) {
    this.#settings = settings;
  }

  /** @throws UsageError for an address that is none */
  of(server: Server): NtfConnection {
    const key = formatNtfServer(server);
    const known = this.#connections.get(key);
    if (known) return known;
    const { urlOf, clock, openSocket, connectTimeout, client } = this.#settings;
    const timeout = client?.timeout;
    const made = new NtfConnection({ server, url: urlOf?.(server), clock, openSocket, connectTimeout, timeout });
    if (this.#isClosed) made.dispose();
    this.#connections.set(key, made);
    return made;
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.dispose();
  }
}
