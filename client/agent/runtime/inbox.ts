import { ProtocolError, type SimplexError } from "../../errors.ts";
import * as smp from "../../smp/calls.ts";
import type { RelayEvent } from "../../smp/relay-connection.ts";
import { AgentError } from "../errors.ts";
import type { RcvQueue } from "../records.ts";
import { receive } from "../rules/receive.ts";
import { FAST_RETRY } from "../rules/retry.ts";
import { isTemporary } from "../rules/send-failure.ts";
import type { Step } from "../step.ts";
import { type Core, isStoreTrouble, type QueuePlace } from "./core.ts";
import type { Relay } from "./relays.ts";

type MessageEvent = Extract<RelayEvent, { readonly type: "message" }>;

/** Takes what relays send and brings it to its connection. */
export class Inbox {
  #core: Core | null = null;
  readonly #acknowledgements: (() => void)[] = [];
  /** Called when a relay can be reached (again). */
  onConnected: ((relay: Relay) => void) | null = null;

  serve(core: Core): void {
    this.#core = core;
  }

  take(relay: Relay, event: RelayEvent): void {
    const core = this.#core;
    if (!core || core.isClosed) return;
    switch (event.type) {
      case "message":
        this.#message(core, relay, event).catch((error: unknown) => {
          if (!core.isClosed) core.tellError(core.placeOf(relay, event.entityId)?.connection ?? null, error);
        });
        return;
      case "connected":
        this.onConnected?.(relay);
        return;
      case "up":
        core.journal.pass({ type: "up", server: relay.server, connections: connectionsOf(core, relay, event.queues) });
        return;
      case "down": {
        const { queues, error } = event;
        core.journal.pass({ type: "down", server: relay.server, connections: connectionsOf(core, relay, queues), error });
        return;
      }
      case "lost":
        this.#lost(core, relay, event.entityId, event.error);
        return;
      case "unexpected":
        core.tellError(null, event.error);
        return;
      case "late":
        return;
    }
  }

  /** ACK, again and again while the relay waits for it: it sends nothing more from the queue before. */
  acknowledge(relay: Relay, { rcvId, authKey }: RcvQueue, msgId: Uint8Array, done: () => void): void {
    this.#ask(relay, rcvId, async () => {
      await smp.acknowledge(relay.connection, { entityId: rcvId, key: authKey }, msgId);
      done();
    });
  }

  /** SUB once more: the message that was left with the relay comes again. */
  redeliver(relay: Relay, { rcvId, authKey }: RcvQueue): void {
    this.#ask(relay, rcvId, () => smp.subscribe(relay.connection, { entityId: rcvId, key: authKey }));
  }

  #ask(relay: Relay, rcvId: Uint8Array, ask: () => Promise<unknown>): void {
    const core = this.#core;
    if (!core) return;
    const attempt = (): void => {
      ask().catch((error: unknown) => {
        const place = core.placeOf(relay, rcvId);
        // The agent was closed or the queue deleted in the meantime.
        if (core.isClosed || !place) return;
        // Its removal is under way; a queue that is lost is told of by its subscription.
        if (error instanceof ProtocolError && error.error.type === "AUTH") return;
        if (!isTemporary(error)) return core.tellError(place.connection, error);
        // Without a connection there is nothing to ask: the message comes again with the next subscription.
        if (relay.connection.client !== null) core.clock.after(FAST_RETRY.initial, attempt);
      });
    };
    // Acknowledgements that come together share blocks: with one block for each, thousands of stored messages would
    // make a relay give up a connection that does not read its answers.
    this.#acknowledgements.push(attempt);
    if (this.#acknowledgements.length > 1) return;
    core.clock.after(0, () => this.flush());
  }

  /** Writes the acknowledgements that wait for others. */
  flush(): void {
    for (const one of this.#acknowledgements.splice(0)) one();
  }

  async #message(core: Core, relay: Relay, { entityId, message }: MessageEvent): Promise<void> {
    const place = core.placeOf(relay, entityId);
    // Of a queue that was deleted here, while its removal is on its way to the relay.
    if (!place) return;
    switch (message.tag) {
      case "MSG":
        return this.#receive(core, place, message);
      case "END":
        return this.#step(core, place.connection, (step) => step.tell({ type: "ended", queue: place.queue }));
      case "DELD":
        this.#lost(core, relay, entityId, null);
        return;
      default:
        return;
    }
  }

  #receive(core: Core, { connection, queue }: QueuePlace, message: Parameters<typeof receive>[2]): Promise<void> {
    return this.#step(core, connection, async (step) => {
      if (step.connection.receive.some(({ id }) => id === queue)) await receive(step, queue, message);
    });
  }

  /** What a relay has told comes no second time, so it is taken again for as long as the store fails. */
  async #step(core: Core, connection: string, action: (step: Step) => Promise<void> | void): Promise<void> {
    for (;;) {
      try {
        await core.step(connection, action);
        return;
      } catch (error) {
        if (core.isClosed || (error instanceof AgentError && error.refusal === "NOT_FOUND")) return;
        if (!isStoreTrouble(error)) throw error;
        core.tellError(connection, error);
        await new Promise<void>((resolve) => void core.clock.after(FAST_RETRY.initial, resolve));
      }
    }
  }

  #lost(core: Core, relay: Relay, rcvId: Uint8Array, error: SimplexError | null): void {
    const place = core.placeOf(relay, rcvId);
    if (!place) return;
    const detail = error ? error.message : "the relay says that it was deleted";
    const tell = (step: Step): void => {
      // Its removal was on its way when the program ended.
      const isRemoved = step.connection.todo.some((task) => task.type === "remove" && task.queue === place.queue);
      if (!isRemoved) step.tell({ type: "queueLost", queue: place.queue, detail });
    };
    this.#step(core, place.connection, tell).catch(
      (trouble: unknown) => core.tellError(place.connection, trouble),
    );
  }
}

function connectionsOf(core: Core, relay: Relay, queues: readonly Uint8Array[]): string[] {
  const ids = queues.map((rcvId) => core.placeOf(relay, rcvId)?.connection);
  return [...new Set(ids.filter((id) => id !== undefined))];
}
