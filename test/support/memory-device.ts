import { equal, hex } from "#crypto/bytes";
import { formatServerAddress } from "#protocol/address";
import { formatNtfQueue, type NtfQueue } from "#protocol/ntf/queue";
import {
  type DeliveryState,
  type DeviceStore,
  type LatestNotification,
  NOTHING_DELIVERED,
  type Subscription,
  type TokenRecord,
} from "../../src/relay/notification/ports.ts";

/** A token in memory that counts its writes, for tests of the rules. */
export class MemoryDeviceStore implements DeviceStore {
  writes = 0;
  #record: TokenRecord | null = null;
  #delivery = NOTHING_DELIVERED;
  #latest: LatestNotification[] = [];
  readonly #subscriptions = new Map<string, Subscription>();

  record(): TokenRecord | null {
    return this.#record;
  }

  save(record: TokenRecord): void {
    this.writes++;
    this.#record = record;
  }

  erase(): void {
    this.writes++;
    this.#record = null;
    this.#delivery = NOTHING_DELIVERED;
    this.#latest = [];
    this.#subscriptions.clear();
  }

  delivery(): DeliveryState {
    return this.#delivery;
  }

  saveDelivery(state: DeliveryState): void {
    this.writes++;
    this.#delivery = state;
  }

  subscription(subId: Uint8Array): Subscription | null {
    return this.#subscriptions.get(hex(subId)) ?? null;
  }

  subscriptionTo(queue: NtfQueue): Subscription | null {
    const name = formatNtfQueue(queue);
    return this.subscriptions().find((one) => formatNtfQueue(one.queue) === name) ?? null;
  }

  subscriptions(): readonly Subscription[] {
    return [...this.#subscriptions.values()];
  }

  subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  servers(): ReadonlySet<string> {
    return new Set(this.subscriptions().map(({ queue }) => formatServerAddress(queue.server)));
  }

  saveSubscription(subscription: Subscription): void {
    this.writes++;
    this.#subscriptions.set(hex(subscription.subId), subscription);
  }

  removeSubscription(subId: Uint8Array): void {
    this.writes++;
    this.#subscriptions.delete(hex(subId));
    this.#latest = this.#latest.filter((one) => !equal(one.subId, subId));
  }

  latest(): readonly LatestNotification[] {
    return this.#latest.toSorted((a, b) => a.order - b.order);
  }

  setLatest(notification: LatestNotification): void {
    this.writes++;
    this.#latest = [...this.#latest.filter((one) => !equal(one.subId, notification.subId)), notification];
  }

  dropLatestBelow(order: number): void {
    this.writes++;
    this.#latest = this.#latest.filter((one) => one.order >= order);
  }
}
