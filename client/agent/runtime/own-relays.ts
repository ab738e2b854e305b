import { randomFraction } from "#crypto/random";
import { sameServer, type Server, type ServerAddress } from "#protocol/address";
import { AgentError } from "../errors.ts";

/** The relays on which this profile makes its queues. */
export class OwnRelays {
  #servers: readonly ServerAddress[];

  constructor(servers: readonly ServerAddress[]) {
    this.#servers = servers;
  }

  replace(servers: readonly ServerAddress[]): void {
    this.#servers = servers;
  }

  get servers(): readonly ServerAddress[] {
    return this.#servers;
  }

  /** For creating queues, where the relay wants one. */
  passwordOf(server: Server): string | null {
    return this.#servers.find((own) => sameServer(own, server))?.password ?? null;
  }

  /**
   * Any of them, but if possible none of `avoided`, or at least none of `aboveAll`.
   * @throws AgentError when there are none at all
   */
  choose(avoided: readonly Server[] = [], aboveAll: readonly Server[] = avoided): Server {
    const without = (servers: readonly Server[]): readonly ServerAddress[] =>
      this.#servers.filter((own) => !servers.some((server) => sameServer(own, server)));
    const candidates = [without(avoided), without(aboveAll)].find((some) => some.length > 0) ?? this.#servers;
    const chosen = candidates[Math.floor(randomFraction() * candidates.length)];
    if (!chosen) throw new AgentError("PROHIBITED", "no relay is configured to receive at; pass one in `servers`");
    return chosen;
  }
}
