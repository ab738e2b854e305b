import { equal } from "#crypto/bytes";
import type { Server } from "#protocol/address";
import { sameSecret } from "../relay/notification/following.ts";
import { FollowingClaims } from "../relay/notification/following-claims.ts";
import { FOLLOWING } from "../relay/notification/limits.ts";
import { type FollowEvent, mayClaim } from "../relay/notification/subscriptions.ts";
import type { FollowedQueue } from "./api.ts";
import type { FollowerState, FollowerStore, Outage, StoredQueue } from "./follower-store.ts";
import type { QueueNews } from "./follower-telling.ts";

const FULL: FollowEvent = { type: "impossible", why: "this server follows too many queues of the relay" };
const OVER_SHARE: FollowEvent = { type: "impossible", why: "this device has too many queues of the relay followed" };
const CLAIMED: FollowEvent = { type: "refused", error: { type: "AUTH" } };

/** Whether nothing more is heard of a queue after this. */
function isFinal({ type }: FollowEvent): boolean {
  return type !== "subscribing" && type !== "subscribed" && type !== "lost";
}

/**
 * Which queues of another relay are followed, for whom, and what their devices believe of them. Every call is one
 * transaction; times are milliseconds since 1970.
 *
 * What ends a queue is kept until its device has been told: after a restart a queue that another notifier took over
 * must not be taken back. That it is subscribed is written down once it was told, with the era: when the relay is lost
 * for long enough to tell, another era begins, in which everybody is told again.
 */
export class FollowerList {
  readonly #store: FollowerStore;
  readonly #claims = new FollowingClaims<FollowedQueue>();

  constructor(store: FollowerStore) {
    this.#store = store;
  }

  get isEmpty(): boolean {
    return this.#store.count() === 0;
  }

  get state(): FollowerState | null {
    return this.#store.state();
  }

  /** Those of which something may still be heard. */
  followed(): readonly StoredQueue[] {
    return this.#store.queues().filter(({ fate }) => !fate);
  }

  /** False: another device follows the queue, or is about to. */
  claim(claim: FollowedQueue, now: number): boolean {
    if (!this.#mayFollow(claim, now)) return false;
    this.#claims.add(claim, now);
    return true;
  }

  /**
   * Takes queues on. `isSubscribed`: whether the relay tells of one. Which are new, and what the devices of others are
   * to be told at once.
   */
  admit(
    server: Server,
    queues: readonly FollowedQueue[],
    isSubscribed: (queue: FollowedQueue) => boolean,
    now: number,
  ): { readonly added: readonly FollowedQueue[]; readonly news: readonly QueueNews[] } {
    const added: FollowedQueue[] = [];
    const news: QueueNews[] = [];
    this.#store.transaction(() => {
      for (const queue of queues) {
        const event = this.#admitOne(queue, isSubscribed, now);
        if (event === "added") added.push(queue);
        else if (event) news.push({ queue, event });
      }
      if (added.length === 0 || this.state) return;
      this.#store.saveState({ server, wasReached: false, outage: null, era: 0 });
    });
    return { added, news };
  }

  /** Null: its device has been told, or will be. */
  #admitOne(
    queue: FollowedQueue,
    isSubscribed: (queue: FollowedQueue) => boolean,
    now: number,
  ): FollowEvent | "added" | null {
    const mine = this.#store.queuesOf(queue.notifierId).filter(({ device }) => equal(device, queue.device));
    const same = mine.find(({ subId, notifierKey, fate }) =>
      !fate && equal(subId, queue.subId) && sameSecret(notifierKey, queue.notifierKey)
    );
    if (same) {
      if (isSubscribed(same)) return { type: "subscribed" };
      // Who asks again does not believe so any more.
      if (same.told !== null) this.#store.setTold(same, null);
      return null;
    }
    if (!this.#mayFollow(queue, now)) return CLAIMED;
    // A device that follows a queue for another subscription than before has lost the former one.
    for (const former of mine) this.#store.unfollow(former);
    this.#claims.remove(queue);
    if (this.#store.count() >= FOLLOWING.queues) return FULL;
    if (this.#store.countOf(queue.device) >= FOLLOWING.queuesOfDevice) return OVER_SHARE;
    this.#store.follow(queue);
    return "added";
  }

  #mayFollow(queue: FollowedQueue, now: number): boolean {
    const followed = this.#store.queuesOf(queue.notifierId).filter(({ fate }) => !fate);
    const all = [...followed, ...this.#claims.of(queue.notifierId, now)];
    return all.every((other) => equal(other.device, queue.device) || mayClaim(other, queue));
  }

  remove(queues: readonly Pick<FollowedQueue, "notifierId" | "subId">[]): void {
    this.#store.transaction(() => {
      for (const queue of queues) {
        this.#store.unfollow(queue);
        this.#claims.remove(queue);
      }
    });
  }

  /** Notes what the relay says. What devices do not know yet. */
  learn(news: readonly QueueNews[]): readonly QueueNews[] {
    return this.#store.transaction(() => news.filter(({ queue, event }) => this.#isNew(queue, event)));
  }

  #isNew(queue: FollowedQueue, event: FollowEvent): boolean {
    const stored = this.#stored(queue);
    if (!stored || stored.fate) return false;
    if (isFinal(event)) this.#store.setFate(queue, event);
    return isFinal(event) || stored.told !== this.state?.era;
  }

  /** Devices know this now, whether or not it is still so. */
  told(news: readonly QueueNews[]): void {
    const era = this.state?.era;
    if (era === undefined) return;
    this.#store.transaction(() => {
      for (const { queue, event } of news) {
        const stored = this.#stored(queue);
        if (stored?.fate && isFinal(event)) this.#store.unfollow(queue);
        else if (stored && event.type === "subscribed" && stored.told !== era) this.#store.setTold(queue, era);
      }
    });
  }

  /** What devices should have been told, and perhaps were not. */
  untold(isSubscribed: (queue: FollowedQueue) => boolean): readonly QueueNews[] {
    const era = this.state?.era;
    return this.#store.queues().flatMap((queue): QueueNews[] => {
      if (queue.fate) return [{ queue, event: queue.fate }];
      return queue.told !== era && isSubscribed(queue) ? [{ queue, event: { type: "subscribed" } }] : [];
    });
  }

  /** The relay is lost. Those whose devices believe otherwise, each time once. */
  lose(): readonly StoredQueue[] {
    const { state } = this;
    const queues = state ? this.#store.toldIn(state.era) : [];
    if (state && queues.length > 0) this.#store.saveState({ ...state, era: state.era + 1 });
    return queues;
  }

  /** Nothing will ever be heard of any of them. */
  abandon(fate: FollowEvent): readonly QueueNews[] {
    return this.#store.transaction(() =>
      this.followed().map((queue) => {
        this.#store.setFate(queue, fate);
        return { queue, event: fate };
      })
    );
  }

  saveReached(): void {
    const { state } = this;
    if (state && !state.wasReached) this.#store.saveState({ ...state, wasReached: true });
  }

  saveOutage(outage: Outage | null): void {
    const { state } = this;
    if (state && state.outage !== outage) this.#store.saveState({ ...state, outage });
  }

  /** After everything that is stored was deleted. */
  forget(): void {
    this.#store.forget();
  }

  /** Unless it is followed with another key meanwhile, or not at all. */
  #stored(queue: FollowedQueue): StoredQueue | undefined {
    return this.#store.queuesOf(queue.notifierId).find(({ subId, notifierKey }) =>
      equal(subId, queue.subId) && sameSecret(notifierKey, queue.notifierKey)
    );
  }
}
