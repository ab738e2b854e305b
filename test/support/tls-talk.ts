import { concat } from "#crypto/bytes";
import { TlsClient, type TlsEvent } from "../../src/tls/client.ts";
import type { TlsError } from "../../src/tls/errors.ts";
import type { TlsSession } from "../../src/tls/handshake.ts";
import { type Script, ScriptedServer, type ServerKeys, serverKeys } from "./tls-server.ts";

export const NOW = Date.UTC(2026, 10, 23);

/** Certificates that tests share. */
export const ED25519: ServerKeys = serverKeys("Ed25519", NOW);

/** What a client has seen of a connection. */
export interface Seen {
  readonly session: TlsSession | null;
  readonly data: Uint8Array;
  readonly isEnded: boolean;
  readonly error: TlsError | null;
}

export function seen(events: readonly TlsEvent[]): Seen {
  return {
    session: events.find((event) => event.type === "connected")?.session ?? null,
    data: concat(...events.filter((event) => event.type === "data").map(({ bytes }) => bytes)),
    isEnded: events.some(({ type }) => type === "ended"),
    error: events.find((event) => event.type === "failed")?.error ?? null,
  };
}

/** A client and a scripted server on a carrier in memory. */
export class Talk {
  readonly client: TlsClient;
  readonly server: ScriptedServer;
  readonly events: TlsEvent[] = [];

  constructor(script: Script = {}, keys: ServerKeys = ED25519, fingerprint = keys.fingerprint, now = NOW) {
    this.client = new TlsClient({ fingerprint, now });
    this.server = new ScriptedServer(keys, script);
  }

  /**
   * Carries bytes both ways until neither has more to say, and answers what the client has seen so far.
   * @param carry cuts or changes what the server sends.
   */
  run(carry: (bytes: Uint8Array) => readonly Uint8Array[] = (bytes) => [bytes]): Seen {
    for (;;) {
      const [up, down] = [this.client.takeOutgoing(), this.server.takeOutgoing()];
      if (up.length === 0 && down.length === 0) return seen(this.events);
      this.server.receive(up);
      for (const piece of carry(down)) this.events.push(...this.client.receive(piece));
    }
  }
}

/** A handshake in memory: what came of it. */
export function shake(...options: ConstructorParameters<typeof Talk>): Seen & { readonly talk: Talk } {
  const talk = new Talk(...options);
  return { ...talk.run(), talk };
}
