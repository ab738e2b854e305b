import { formatServerAddress, type Server } from "#protocol/address";
import type { Clock } from "../../clock.ts";
import { ProxiedRelay } from "../../smp/proxied-relay.ts";
import { type RelayEvent, RelayConnection, type RelayOptions } from "../../smp/relay-connection.ts";

export interface RelaySettings extends Pick<RelayOptions, "openSocket" | "backoff" | "client" | "connectTimeout"> {
  readonly clock: Clock;
  /** Where to connect to a relay if not to its first host. */
  readonly urlOf?: ((server: Server) => string | undefined) | undefined;
}

/** The connection to one relay on behalf of one profile. */
export interface Relay {
  readonly key: string;
  readonly profile: string;
  readonly server: Server;
  readonly connection: RelayConnection;
}

export function relayKey(profile: string, server: Server): string {
  return `${profile} ${formatServerAddress({ ...server, password: null })}`;
}

/** One connection for each relay and profile, so that a relay cannot tell that two profiles are one person. */
export class Relays {
  readonly #relays = new Map<string, Relay>();
  readonly #proxied = new Map<string, ProxiedRelay>();
  readonly #settings: RelaySettings;
  readonly #tell: (relay: Relay, event: RelayEvent) => void;
  #isClosed = false;

  constructor(settings: RelaySettings, tell: (relay: Relay, event: RelayEvent) => void) {
    this.#settings = settings;
    this.#tell = tell;
  }

  of(profile: string, { hosts, port, keyHash }: Server): Relay {
    const server = { hosts, port, keyHash };
    const key = relayKey(profile, server);
    const known = this.#relays.get(key);
    if (known) return known;
    const { urlOf, ...settings } = this.#settings;
    const connection = new RelayConnection({ ...settings, server, url: urlOf?.(server) });
    const relay: Relay = { key, profile, server, connection };
    if (this.#isClosed) connection.dispose();
    this.#relays.set(key, relay);
    void this.#follow(relay);
    return relay;
  }

  /** Whether there is a connection now. */
  isConnected(profile: string, server: Server): boolean {
    return (this.#relays.get(relayKey(profile, server))?.connection.client ?? null) !== null;
  }

  /** A relay behind one of one's own, with the password of that one. @throws UsageError for an address that is none */
  proxied(relay: Relay, { hosts, port, keyHash }: Server, password: string | null): ProxiedRelay {
    const server = { hosts, port, keyHash };
    const key = `${relay.key} ${password ?? ""} ${formatServerAddress({ ...server, password: null })}`;
    const known = this.#proxied.get(key);
    if (known) return known;
    const { clock, connectTimeout, client } = this.#settings;
    const proxy = relay.connection;
    const made = new ProxiedRelay({ proxy, server, password, connectTimeout, timeout: client?.timeout, clock });
    this.#proxied.set(key, made);
    return made;
  }

  all(): Relay[] {
    return [...this.#relays.values()];
  }

  /** The network came back. */
  online(): void {
    for (const { connection } of this.#relays.values()) connection.online();
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#relays.values()) connection.dispose();
  }

  async #follow(relay: Relay): Promise<void> {
    for await (const event of relay.connection.events) this.#tell(relay, event);
  }
}
