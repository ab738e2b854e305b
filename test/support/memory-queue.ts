import { equal } from "#crypto/bytes";
import type {
  ConnectionId,
  NotifierSubscriber,
  PendingNotification,
  QueueRecord,
  QueueStore,
  StoredMessage,
  Subscriber,
} from "../../src/relay/ports.ts";

/** A queue in memory that counts its writes, for tests of the rules. */
export class MemoryQueueStore implements QueueStore {
  writes = 0;
  #record: QueueRecord | null = null;
  #subscriber: Subscriber | null = null;
  #notifierSubscriber: NotifierSubscriber | null = null;
  #messages: StoredMessage[] = [];
  #pending: PendingNotification[] = [];
  #last: StoredMessage | null = null;
  readonly #fetched = new Map<ConnectionId, Uint8Array | null>();

  record(): QueueRecord | null {
    return this.#record;
  }

  save(record: QueueRecord): void {
    this.writes++;
    this.#record = record;
  }

  erase(): void {
    this.writes++;
    this.#record = null;
    this.#subscriber = null;
    this.#notifierSubscriber = null;
    this.#messages = [];
    this.#pending = [];
    this.#fetched.clear();
    this.#last = null;
  }

  subscriber(): Subscriber | null {
    return this.#subscriber;
  }

  setSubscriber(subscriber: Subscriber | null): void {
    this.writes++;
    this.#subscriber = subscriber;
  }

  fetched(connection: ConnectionId): Uint8Array | null | undefined {
    return this.#fetched.get(connection);
  }

  setFetched(connection: ConnectionId, msgId: Uint8Array | null): void {
    this.writes++;
    this.#fetched.set(connection, msgId);
  }

  size(): number {
    return this.#messages.length;
  }

  head(): StoredMessage | null {
    return this.#messages[0] ?? null;
  }

  endsWithQuota(): boolean {
    return this.#messages.at(-1)?.type === "quota";
  }

  knows(msgId: Uint8Array): boolean {
    const messages = this.#messages.filter(({ type }) => type === "message");
    return [...messages, ...(this.#last ? [this.#last] : [])].some(({ id }) => equal(id, msgId));
  }

  append(message: StoredMessage): void {
    this.writes++;
    this.#last = null;
    this.#messages.push(message);
  }

  removeHead(): void {
    this.writes++;
    const head = this.#messages.shift();
    if (head?.type === "message" && this.#messages.length === 0) this.#last = head;
  }

  notifierSubscriber(): NotifierSubscriber | null {
    return this.#notifierSubscriber;
  }

  setNotifierSubscriber(subscriber: NotifierSubscriber | null): void {
    this.writes++;
    this.#notifierSubscriber = subscriber;
  }

  pendingNotifications(): readonly PendingNotification[] {
    return this.#pending;
  }

  addPendingNotification(notification: PendingNotification): void {
    this.writes++;
    this.#pending.push(notification);
  }

  clearPendingNotifications(): void {
    this.writes++;
    this.#pending = [];
  }
}
