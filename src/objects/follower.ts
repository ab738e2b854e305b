import { DurableObject } from "cloudflare:workers";
import type { Server } from "#protocol/address";
import type { ErrorType } from "#protocol/errors";
import { ForwardingError } from "../relay/destination.ts";
import { type FollowNews, targetName } from "../relay/notification/following.ts";
import { FollowingError, type FollowingSession, greetAsNotifier } from "../relay/notification/following-session.ts";
import { FOLLOWER, pauseAfter, RECONNECT } from "../relay/notification/limits.ts";
import type { FollowEvent, QueueClaim } from "../relay/notification/subscriptions.ts";
import { type DestinationAddress, type ProxyPolicy, readDestination, type Route, routesTo } from "../relay/proxy-policy.ts";
import { AlarmClock } from "./alarm-clock.ts";
import type { FollowedQueue, FollowerApi } from "./api.ts";
import { outsideOf } from "./carriage/outside.ts";
import { reach } from "./carriage/reach.ts";
import { configOf } from "./context.ts";
import type { Env } from "./env.ts";
import { FollowerLink } from "./follower-link.ts";
import { FollowerList } from "./follower-list.ts";
import { FollowerStore } from "./follower-store.ts";
import { type QueueNews, Telling } from "./follower-telling.ts";
import { deviceAt } from "./locate.ts";
import { report } from "./log.ts";

const NOT_REACHABLE: FollowEvent = { type: "impossible", why: "the relay may not be reached from this server" };
const NEVER_ANSWERED: FollowEvent = { type: "impossible", why: "the relay did not answer this server" };

/**
 * What this server is to another relay: the notifier of queues there, for devices of this server. One object for each
 * other relay holds the one connection; the queues, and whose they are, lie in its SQLite.
 *
 * As long as a queue is followed the relay may say something at any time, and what listens to it cannot hibernate: an
 * object is in memory, and on Cloudflare's bill, for every other relay that somebody's queue is on, however many
 * devices and queues there are (0.128 GB-s each second, and an alarm and a row every half minute). Of one relay a
 * single object hears everything: some thousand messages a minute, and 50,000 queues.
 *
 * The connection ends with whatever ends the object (eviction, deployment, a restart of this machine). An alarm, which
 * outlives all of these, looks after it every half minute: it makes another, on which every queue is subscribed anew.
 */
export class Follower extends DurableObject<Env> implements FollowerApi {
  readonly #list = new FollowerList(new FollowerStore(this.ctx.storage));
  readonly #alarm = new AlarmClock(this.ctx);
  readonly #telling = new Telling({
    deviceAt: (device) => deviceAt(this.env, device),
    told: (news) => this.#told(news),
    unknown: (queues) => this.#remove(queues),
    run: (work) => this.ctx.waitUntil(work),
  });
  /** By target: how often the relay could not say what became of a queue. */
  readonly #attempts = new Map<string, number>();
  #link: FollowerLink | null = null;
  #isConnecting = false;
  /** Of the time before this object was in memory, or queues for which the relay had no answer. */
  #hasLeftovers = true;
  /** What worked last. */
  #kind: Route["kind"] | null = null;

  readonly #isSubscribed = (queue: FollowedQueue): boolean => this.#link?.follows(queue) ?? false;

  async claim(
    server: Server,
    notifierId: Uint8Array,
    { device, subId, notifierKey }: QueueClaim & { readonly device: Uint8Array },
  ): Promise<boolean> {
    // Then it is told when it follows.
    if (!this.#addressOf(server)) return true;
    return this.#list.claim({ notifierId, device, subId, notifierKey }, Date.now());
  }

  async follow(server: Server, queues: readonly FollowedQueue[]): Promise<void> {
    if (!this.#addressOf(server)) return this.#tell(queues.map((queue) => ({ queue, event: NOT_REACHABLE })));
    const { added, news } = this.#list.admit(server, queues, this.#isSubscribed, Date.now());
    // The same subscription may have had another key.
    for (const queue of added) this.#link?.forget(queue);
    this.#link?.subscribe(added);
    this.#tell(news);
    this.#goOn();
  }

  async unfollow(queues: readonly Pick<FollowedQueue, "notifierId" | "subId">[]): Promise<void> {
    this.#remove(queues);
  }

  override async alarm(): Promise<void> {
    this.#alarm.over();
    const now = Date.now();
    this.#link?.tend();
    if (this.#link && now - this.#link.openedAt >= FOLLOWER.stable) this.#list.saveOutage(null);
    if (this.#hasLeftovers) this.#catchUp();
    this.#telling.start(true);
    this.#goOn();
  }

  /** All rows are read for this, which is paid for: not with each alarm. */
  #catchUp(): void {
    this.#hasLeftovers = false;
    for (const one of this.#list.untold(this.#isSubscribed)) this.#telling.note(one);
    this.#link?.subscribe(this.#list.followed());
  }

  #tell(news: readonly QueueNews[]): void {
    for (const one of news) this.#telling.note(one);
    this.#telling.start();
  }

  #told(news: readonly QueueNews[]): void {
    this.#list.told(news);
    // The relay may have been lost while they were told that it is there.
    if (!this.#link && (this.#list.state?.outage?.count ?? 0) > 0) this.#tellLost();
    this.#restIfDone();
  }

  #tellLost(): void {
    this.#tell(this.#list.lose().map((queue) => ({ queue, event: { type: "lost" } })));
  }

  #remove(queues: readonly Pick<FollowedQueue, "notifierId" | "subId">[]): void {
    this.#list.remove(queues);
    for (const queue of queues) {
      this.#attempts.delete(targetName(queue));
      this.#link?.forget(queue);
    }
    this.#restIfDone();
  }

  /** Connects where that is due, and sees that there is an alarm as long as anything is followed. */
  #goOn(): void {
    if (this.#restIfDone()) return;
    const now = Date.now();
    const retryAt = this.#list.state?.outage?.retryAt ?? 0;
    if (!this.#link && !this.#isConnecting && retryAt <= now) {
      this.#isConnecting = true;
      this.ctx.waitUntil(this.#connect().finally(() => (this.#isConnecting = false)));
    }
    this.#alarm.by(this.#link || this.#isConnecting ? now + FOLLOWER.watch : retryAt);
  }

  /** Where nothing is followed nothing is kept. */
  #restIfDone(): boolean {
    if (!this.#list.isEmpty) return false;
    this.#link?.close();
    this.#link = null;
    this.#alarm.forget();
    this.#list.forget();
    return true;
  }

  #policy(): ProxyPolicy {
    const { proxy, push } = configOf(this.env);
    return { ...proxy, allowsPrivate: push.endpoints.allowsPrivate };
  }

  #addressOf(server: Server): DestinationAddress | null {
    return readDestination(server, this.#policy());
  }

  async #connect(): Promise<void> {
    const server = this.#list.state?.server;
    if (!server) return;
    try {
      const address = configOf(this.env).push.isOn ? this.#addressOf(server) : null;
      const link = await this.#open(server.keyHash, address ? routesTo(address, this.#policy()) : []);
      if (this.#list.isEmpty) return link.close();
      this.#list.saveReached();
      this.#link = link;
      link.listen();
      link.subscribe(this.#list.followed());
    } catch (error) {
      this.#failed(error);
    }
  }

  async #open(keyHash: Uint8Array, routes: readonly Route[]): Promise<FollowerLink> {
    const { route, opened, session } = await reach<FollowingSession>({
      outside: outsideOf(this.env),
      keyHash,
      routes,
      kind: this.#kind,
      greet: ({ hello, proof }) => greetAsNotifier(hello, keyHash, proof, Date.now()),
    });
    this.#kind = route.kind;
    const link: FollowerLink = new FollowerLink(session, opened, {
      hear: (news) => this.#heard(news),
      lost: (error) => this.#lost(link, error),
    });
    return link;
  }

  #heard(news: readonly FollowNews<FollowedQueue>[]): void {
    const events = news.flatMap((one): QueueNews[] => {
      const { queue } = one;
      if (one.type === "notified") {
        this.#telling.notify(queue, one);
        return [];
      }
      const event = one.type === "again" ? this.#putOff(queue, one.error) : one.event;
      return event ? [{ queue, event }] : [];
    });
    for (const { queue } of events) this.#attempts.delete(targetName(queue));
    this.#tell(this.#list.learn(events));
  }

  /** It is asked for again with the next alarm; null until it has been tried often. */
  #putOff(queue: FollowedQueue, error: ErrorType): FollowEvent | null {
    const name = targetName(queue);
    const attempts = (this.#attempts.get(name) ?? 0) + 1;
    this.#attempts.set(name, attempts);
    this.#hasLeftovers = true;
    return attempts < FOLLOWER.attempts ? null : { type: "refused", error };
  }

  /** A connection that was good is mended soon, and devices need not know of it unless that fails. */
  #lost(link: FollowerLink, error: unknown): void {
    if (this.#link !== link) return;
    this.#link = null;
    const now = Date.now();
    if (now - link.openedAt < FOLLOWER.stable) return this.#failed(error);
    this.#retry(0, now, now + Math.round(Math.random() * FOLLOWER.soon));
  }

  #failed(error: unknown): void {
    const isUsual = error instanceof ForwardingError || error instanceof FollowingError;
    if (!isUsual) report("the relay of followed queues could not be reached", error);
    const { state } = this.#list;
    if (!state) return;
    const now = Date.now();
    const since = state.outage?.since ?? now;
    const patience = state.wasReached ? FOLLOWER.lost : FOLLOWER.neverReached;
    if (now - since > patience) return this.#tell(this.#list.abandon(NEVER_ANSWERED));
    this.#tellLost();
    const count = (state.outage?.count ?? 0) + 1;
    this.#retry(count, since, now + pauseAfter(count, RECONNECT, Math.random()));
  }

  #retry(count: number, since: number, retryAt: number): void {
    this.#list.saveOutage({ count, since, retryAt });
    this.#alarm.by(retryAt);
  }
}
