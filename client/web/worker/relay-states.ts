import { formatServerAddress, type Server } from "#protocol/address";
import type { Agent } from "../../agent/agent.ts";
import type { AgentEvent } from "../../agent/events.ts";
import type { RelayState } from "../session/api.ts";

function addressOf({ hosts, port, keyHash }: Server): string {
  return formatServerAddress({ hosts, port, keyHash, password: null });
}

/** How the relays are, and since when. */
export class RelayStates {
  readonly #states = new Map<string, RelayState>();
  readonly #reasons = new Map<string, string>();

  /** Why one went down, which only events tell. */
  take(event: AgentEvent): void {
    if (event.type === "down") this.#reasons.set(addressOf(event.server), event.error.message);
    if (event.type === "up") this.#reasons.delete(addressOf(event.server));
  }

  /** As they are now. */
  look(agent: Agent): readonly RelayState[] {
    const found = new Map<string, RelayState>();
    for (const { server, isConnected } of agent.relays()) {
      const address = addressOf(server);
      // Of several profiles at one relay all have to be connected.
      const isUp = isConnected && found.get(address)?.isUp !== false;
      const reason = isUp ? null : this.#reasons.get(address) ?? null;
      found.set(address, { address, host: server.hosts[0] ?? address, isUp, since: Date.now(), reason });
    }
    for (const [address, state] of found) {
      const before = this.#states.get(address);
      if (before?.isUp !== state.isUp || before.reason !== state.reason) this.#states.set(address, state);
    }
    for (const address of this.#states.keys()) if (!found.has(address)) this.#states.delete(address);
    return [...this.#states.values()];
  }
}
