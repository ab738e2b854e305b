import { hex } from "#crypto/bytes";
import { ProtocolError, type SimplexError, UsageError } from "../errors.ts";
import type { EntityKey } from "./calls.ts";

/** A queue, or the notifier of one, that is to stay subscribed. */
export interface KeptQueue extends EntityKey {
  /** What the id and the key are: the recipient's (SUB) or the notifier's (NSUB). */
  readonly kind: "recipient" | "notifier";
}

/** `asked`: in this connection, with no answer or none that settles it. */
type State = "off" | "asked" | "on";

const FINAL: ReadonlySet<string> = new Set(["AUTH", "BLOCKED", "CMD", "SERVICE"]);

/** Whether asking again would get the same answer. */
export function isFinal(error: SimplexError): boolean {
  return error instanceof UsageError || (error instanceof ProtocolError && FINAL.has(error.error.type));
}

/** The queues to keep subscribed and whether they are. */
export class KeptQueues {
  readonly #entries = new Map<string, { readonly queue: KeptQueue; state: State }>();

  get size(): number {
    return this.#entries.size;
  }

  /** Whether every one is subscribed; so it is when there is none. */
  get areOn(): boolean {
    for (const { state } of this.#entries.values()) if (state !== "on") return false;
    return true;
  }

  /** Adds a queue; one that is known keeps its state unless it is now on. */
  add(queue: KeptQueue, isOn = false): void {
    const id = hex(queue.entityId);
    const state = isOn ? "on" : this.#entries.get(id)?.state ?? "off";
    this.#entries.set(id, { queue, state });
  }

  delete(entityId: Uint8Array): void {
    this.#entries.delete(hex(entityId));
  }

  /** False when the queue is not kept. */
  markOn(entityId: Uint8Array): boolean {
    const entry = this.#entries.get(hex(entityId));
    if (entry) entry.state = "on";
    return entry !== undefined;
  }

  /** After the connection ended: the ids of what was subscribed. */
  turnOff(): Uint8Array[] {
    const wereOn = [...this.#entries.values()].filter(({ state }) => state === "on").map(({ queue }) => queue.entityId);
    for (const entry of this.#entries.values()) entry.state = "off";
    return wereOn;
  }

  /** Makes what was asked in vain be asked again. */
  renew(): void {
    for (const entry of this.#entries.values()) if (entry.state === "asked") entry.state = "off";
  }

  /** Some of what is to be asked for; counts as asked from now on. */
  take(limit: number): KeptQueue[] {
    const taken: KeptQueue[] = [];
    for (const entry of this.#entries.values()) {
      if (taken.length === limit) break;
      if (entry.state !== "off") continue;
      entry.state = "asked";
      taken.push(entry.queue);
    }
    return taken;
  }
}
