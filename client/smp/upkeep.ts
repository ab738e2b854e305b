import type { Command, Message } from "#protocol/commands";
import type { Clock } from "../clock.ts";
import type { SimplexError } from "../errors.ts";
import { type Backoff, retryDelay } from "./backoff.ts";
import { SUBSCRIBE_CHUNK, subscribe, subscribeMany, subscribeNotifications, type SubscribeResult } from "./calls.ts";
import type { SmpClient } from "./client.ts";
import { isFinal, type KeptQueue, KeptQueues } from "./kept.ts";
import type { LateEvent, Requester, RequestOptions } from "./request.ts";

export type SubscriptionEvent =
  /** These kept queues are subscribed. */
  | { readonly type: "up"; readonly queues: readonly Uint8Array[] }
  /** The relay will not subscribe this queue; it is kept no more. */
  | { readonly type: "lost"; readonly entityId: Uint8Array; readonly error: SimplexError };

function isSubscription({ tag }: Command, answer: Message): boolean {
  return (tag === "SUB" || tag === "NSUB") && (answer.tag === "SOK" || answer.tag === "OK" || answer.tag === "MSG");
}

function subscribeOne(relay: Requester, queue: KeptQueue): Promise<unknown> {
  return queue.kind === "recipient" ? subscribe(relay, queue) : subscribeNotifications(relay, queue);
}

/** Keeps queues subscribed over one connection after another. */
export class Upkeep {
  readonly #kept = new KeptQueues();
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #tell: (event: SubscriptionEvent) => void;
  #client: SmpClient | null = null;
  /** The connection on which queues are being subscribed. */
  #busyWith: SmpClient | null = null;
  #attempt = 0;
  #cancelRenewal: (() => void) | null = null;

  constructor(clock: Clock, backoff: Backoff, tell: (event: SubscriptionEvent) => void) {
    this.#clock = clock;
    this.#backoff = backoff;
    this.#tell = tell;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Whether every kept queue is subscribed. */
  get isComplete(): boolean {
    return this.#kept.areOn;
  }

  keep(queues: readonly KeptQueue[]): void {
    for (const queue of queues) this.#kept.add(queue);
    void this.#subscribe();
  }

  forget(entityId: Uint8Array): void {
    this.#kept.delete(entityId);
  }

  /** A new connection: everything is asked for again. */
  attach(client: SmpClient): void {
    this.#client = client;
    this.#attempt = 0;
    void this.#subscribe();
  }

  /** The connection ended: answers what was subscribed. */
  detach(): Uint8Array[] {
    this.#client = null;
    this.#cancelRenewal?.();
    return this.#kept.turnOff();
  }

  /** Learns from a command and its answer on `client` which queues to keep. */
  learn(client: SmpClient, command: Command, { entityId, key }: RequestOptions, answer: Message): void {
    if (!key) return;
    const isOn = this.#client === client;
    if (command.tag === "NEW" && command.subscribe && answer.tag === "IDS") {
      this.#kept.add({ entityId: answer.rcvId, key, kind: "recipient" }, isOn);
    } else if (entityId && isSubscription(command, answer)) {
      this.#kept.add({ entityId, key, kind: command.tag === "SUB" ? "recipient" : "notifier" }, isOn);
    } else if (entityId && command.tag === "DEL" && answer.tag === "OK") {
      this.#kept.delete(entityId);
    }
    // The answer's connection has ended meanwhile; there may be another one.
    if (!isOn) void this.#subscribe();
  }

  /** A subscription that had been given up may have been made all the same. */
  learnLate({ command, entityId, answer }: LateEvent): void {
    if (!isSubscription(command, answer) || !this.#kept.markOn(entityId)) return;
    this.#tell({ type: "up", queues: [entityId] });
  }

  async #subscribe(): Promise<void> {
    const client = this.#client;
    if (!client || this.#busyWith === client) return;
    this.#busyWith = client;
    for (;;) {
      const queues = this.#kept.take(SUBSCRIBE_CHUNK);
      if (queues.length === 0) break;
      const results = await subscribeMany(client, queues, subscribeOne);
      if (this.#client !== client) return;
      this.#settle(results);
    }
    this.#busyWith = null;
  }

  #settle(results: readonly SubscribeResult[]): void {
    const queues = results.filter(({ entityId, error }) => !error && this.#kept.markOn(entityId));
    if (queues.length > 0) this.#tell({ type: "up", queues: queues.map(({ entityId }) => entityId) });
    let isIncomplete = false;
    for (const { entityId, error } of results) {
      if (!error) continue;
      if (!isFinal(error)) isIncomplete = true;
      else this.#lose(entityId, error);
    }
    if (isIncomplete) this.#renewLater();
  }

  #lose(entityId: Uint8Array, error: SimplexError): void {
    this.#kept.delete(entityId);
    this.#tell({ type: "lost", entityId, error });
  }

  #renewLater(): void {
    this.#cancelRenewal?.();
    const delay = retryDelay(this.#attempt++, this.#clock.random(), this.#backoff);
    this.#cancelRenewal = this.#clock.after(delay, () => {
      this.#kept.renew();
      void this.#subscribe();
    });
  }
}
