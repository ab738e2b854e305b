import { hex } from "#crypto/bytes";
import { type FollowTarget, targetName } from "./following.ts";
import { FOLLOWER } from "./limits.ts";

/** Who is about to follow a queue. */
export interface FollowClaim extends FollowTarget {
  readonly device: Uint8Array;
}

/** Names in the order in which they came, by what they belong to. */
class Groups {
  readonly #groups = new Map<string, Set<string>>();

  of(key: string): ReadonlySet<string> {
    return this.#groups.get(key) ?? new Set();
  }

  add(key: string, name: string): void {
    this.#groups.set(key, (this.#groups.get(key) ?? new Set()).add(name));
  }

  remove(key: string, name: string): void {
    const group = this.#groups.get(key);
    group?.delete(name);
    if (group?.size === 0) this.#groups.delete(key);
  }
}

/**
 * Claims of queues of one other relay, whose devices are about to have them followed. Held in memory and nowhere else:
 * whatever strangers claim costs nothing that stays. They last for seconds, and one that is lost with the object that
 * holds it is decided when the queue is followed. Of too many the oldest give way. Times are milliseconds since 1970.
 */
export class FollowingClaims<T extends FollowClaim> {
  /** Oldest first. */
  readonly #held = new Map<string, { readonly claim: T; readonly at: number }>();
  readonly #ofQueue = new Groups();
  readonly #ofDevice = new Groups();

  get size(): number {
    return this.#held.size;
  }

  add(claim: T, now: number): void {
    const name = targetName(claim);
    const [queue, device] = [hex(claim.notifierId), hex(claim.device)];
    this.#remove(name);
    this.#held.set(name, { claim, at: now });
    this.#ofQueue.add(queue, name);
    this.#ofDevice.add(device, name);
    this.#keep(this.#ofQueue.of(queue), FOLLOWER.claimsOfQueue);
    this.#keep(this.#ofDevice.of(device), FOLLOWER.claimsOfDevice);
    this.#keep(this.#held, FOLLOWER.claims);
  }

  /** Of this queue. */
  of(notifierId: Uint8Array, now: number): readonly T[] {
    return [...this.#ofQueue.of(hex(notifierId))].flatMap((name) => {
      const held = this.#held.get(name);
      return held && held.at + FOLLOWER.claim >= now ? [held.claim] : [];
    });
  }

  remove(target: Pick<T, "notifierId" | "subId">): void {
    this.#remove(targetName(target));
  }

  #remove(name: string): void {
    const claim = this.#held.get(name)?.claim;
    if (!claim) return;
    this.#held.delete(name);
    this.#ofQueue.remove(hex(claim.notifierId), name);
    this.#ofDevice.remove(hex(claim.device), name);
  }

  #keep(names: ReadonlySet<string> | ReadonlyMap<string, unknown>, most: number): void {
    const [oldest] = names.keys();
    if (names.size > most && oldest !== undefined) this.#remove(oldest);
  }
}
