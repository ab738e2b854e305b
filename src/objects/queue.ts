import { DurableObject } from "cloudflare:workers";
import { equal } from "#crypto/bytes";
import { err } from "#protocol/commands";
import type { ServiceRole } from "#protocol/handshake";
import { create, isMadeBy, type PreparedQueue, type QueueIds } from "../relay/create.ts";
import { execute, needsLink, type QueueRequest, renewsNotifier } from "../relay/execute.ts";
import type { IdScheme } from "../relay/ids.ts";
import { type Conditions, deliverHead, dropExpired } from "../relay/messages.ts";
import { AUTH, failed } from "../relay/outcome.ts";
import type { Caller, Outcome, QueueEvent, QueueLink, QueueRecord, ServiceChange } from "../relay/ports.ts";
import { followerName, followOwn, readFollowerName, rivalOf } from "../relay/notification/own-queue.ts";
import type { FollowEvent } from "../relay/notification/subscriptions.ts";
import { forgetConnection, redirectNotifications, subscribeAsService } from "../relay/subscribe.ts";
import type { FollowedQueue, PushedEvent, QueueApi, QueueReply } from "./api.ts";
import { configOf, contextOf } from "./context.ts";
import type { Env } from "./env.ts";
import { connectionAt, deviceAt, linkAt, serviceAt } from "./locate.ts";
import { report } from "./log.ts";
import { meter } from "./meter.ts";
import { SqlQueueStore } from "./queue-store.ts";
import { Stubs } from "./stubs.ts";

/** Pauses before a push that failed in transport is tried again, in milliseconds. */
const PUSH_RETRIES = [50, 500, 2000] as const;
/** Connections, and devices, whose stubs are kept. */
const STUBS = 8;
/** Key of the note that the alarm has a message to push. */
const UNDELIVERED = "undelivered";
/** When these are over, the head is pushed again by alarm after so many milliseconds. */
const REDELIVERY_DELAY = 30_000;

/** Hears what a queue tells those who are subscribed to it. False: it is gone and never comes back. */
interface Listener {
  push(events: readonly PushedEvent[]): Promise<boolean>;
}

/**
 * One queue, named by its sender id: hosts the rules of `relay/` on SQLite and carries what follows from them to
 * other objects. Every command is one transaction; nothing is awaited between reading and writing the queue.
 */
export class Queue extends DurableObject<Env> implements QueueApi {
  readonly #store = new SqlQueueStore(this.ctx.storage.sql);
  readonly #listeners = new Stubs<Listener>(STUBS);
  #ids: IdScheme | null = null;
  /** When the alarm goes off, in milliseconds; undefined until it was looked up. */
  #alarm: number | null | undefined;

  #conditions(): Conditions {
    return { now: Math.floor(Date.now() / 1000), limits: configOf(this.env).limits };
  }

  async handle(caller: Caller, requests: readonly QueueRequest[]): Promise<QueueReply[]> {
    meter.queueRequests++;
    const replies: QueueReply[] = [];
    for (const request of requests) replies.push(await this.#reply(caller, request));
    return replies;
  }

  async #reply(caller: Caller, request: QueueRequest): Promise<QueueReply> {
    // Only then: who the relay is must be asked for once, and most commands need not wait for that.
    if (renewsNotifier(request)) this.#ids = (await contextOf(this.env)).ids;
    const linkId = needsLink(this.#store, request);
    const senderId = this.#store.record()?.senderId;
    if (!linkId || !senderId) return await this.#run(() => this.#execute(caller, request));
    if (!await linkAt(this.env, linkId).claim(linkId, senderId)) return { answer: err(AUTH) };
    const reply = await this.#run(() => this.#execute(caller, request));
    if (reply.answer.tag !== "OK") await this.#releaseLink(linkId, senderId);
    return reply;
  }

  #execute(caller: Caller, request: QueueRequest): Outcome {
    const nextNotifierId = (id: Uint8Array): Uint8Array => {
      if (!this.#ids) throw new Error("no command may renew the notifier's id");
      return this.#ids.nextNotifierId(id);
    };
    return execute(this.#store, caller, request, { ...this.#conditions(), nextNotifierId });
  }

  async create(caller: Caller, ids: QueueIds, queue: PreparedQueue, link: QueueLink | null): Promise<QueueReply | null> {
    meter.queueRequests++;
    const isTaken = (): boolean => {
      const record = this.#store.record();
      return record !== null && !isMadeBy(record, queue);
    };
    if (isTaken()) return null;
    const claims = link && !this.#store.record();
    if (claims && !await linkAt(this.env, link.linkId).claim(link.linkId, ids.senderId)) return null;
    // Another creation may have come first while the link was claimed.
    if (isTaken()) return null;
    const reply = await this.#run(() => create(this.#store, ids, queue, link, caller));
    if (link && reply.answer.tag !== "IDS") await this.#releaseLink(link.linkId, ids.senderId);
    return reply;
  }

  async holdsLink(linkId: Uint8Array): Promise<boolean> {
    const link = this.#store.record()?.link;
    return link ? equal(link.linkId, linkId) : false;
  }

  async subscribeService(caller: Caller, role: ServiceRole): Promise<PushedEvent[]> {
    meter.queueRequests++;
    const events = this.#transaction(() => subscribeAsService(this.#store, caller, role, this.#conditions()));
    this.#push(events.filter(({ connection }) => connection !== caller.connection));
    return events.filter(({ connection }) => connection === caller.connection);
  }

  async mayFollowFor(queue: FollowedQueue): Promise<boolean> {
    meter.queueRequests++;
    const rival = rivalOf(this.#store, queue);
    const name = rival === null ? null : readFollowerName(rival);
    if (rival === null || !name || await deviceAt(this.env, name.device).follows(rival)) return rival === null;
    this.#transaction(() => forgetConnection(this.#store, rival));
    return true;
  }

  async followFor(queue: FollowedQueue): Promise<FollowEvent> {
    meter.queueRequests++;
    const { answer } = await this.#run(() => followOwn(this.#store, queue.notifierId, queue, this.#conditions()));
    return answer.tag === "ERR" ? { type: "refused", error: answer.error } : { type: "subscribed" };
  }

  async unfollowFor(queue: FollowedQueue): Promise<void> {
    meter.queueRequests++;
    this.#transaction(() => forgetConnection(this.#store, followerName(queue)));
  }

  override async alarm(): Promise<void> {
    this.#alarm = null;
    const record = this.#store.record();
    if (!record) return;
    this.#transaction(() => dropExpired(this.#store, this.#conditions()));
    this.#redeliver(record);
    this.#scheduleExpiry();
  }

  /** After a push that could not be made. A message that is given twice does no harm: it has an id. */
  #redeliver(record: QueueRecord): void {
    if (!this.ctx.storage.kv.get(UNDELIVERED)) return;
    this.ctx.storage.kv.delete(UNDELIVERED);
    this.#push(deliverHead(this.#store, record));
  }

  #transaction<T>(change: () => T): T {
    try {
      return this.ctx.storage.transactionSync(change);
    } catch (error) {
      this.#store.reload();
      throw error;
    }
  }

  async #run(rule: () => Outcome): Promise<QueueReply> {
    const senderId = this.#store.record()?.senderId;
    let outcome: Outcome;
    try {
      outcome = this.#transaction(rule);
    } catch (error) {
      report("a command failed", error);
      return { answer: failed({ type: "INTERNAL" }).answer };
    }
    if (this.#store.takeErased()) this.#deleteStorage();
    else if (this.#store.size() > 0) this.#scheduleExpiry();
    this.#push(outcome.events);
    // Told before the client is: what it does next to the same link or service comes after.
    await this.#tellServices(outcome.services);
    if (outcome.releasedLink && senderId) await this.#releaseLink(outcome.releasedLink, senderId);
    const { answer, followUp, subscriptions } = outcome;
    return { answer, ...(followUp ? { followUp } : {}), ...(subscriptions ? { subscriptions } : {}) };
  }

  #deleteStorage(): void {
    this.#alarm = null;
    this.ctx.waitUntil(Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]));
  }

  /** One alarm for the oldest message; it is set once and not moved with each message. */
  #scheduleExpiry(): void {
    if (this.#alarm) return;
    const head = this.#store.head();
    if (head?.type === "message") this.#setAlarm((head.ts + configOf(this.env).limits.messageTtl + 1) * 1000);
  }

  #setAlarm(at: number): void {
    const isLookedUp = this.#alarm !== undefined;
    this.#alarm = at;
    this.ctx.waitUntil((async () => {
      const current = isLookedUp ? null : await this.ctx.storage.getAlarm();
      if (current !== null && current <= at) this.#alarm = current;
      else await this.ctx.storage.setAlarm(at);
    })());
  }

  #push(events: readonly QueueEvent[]): void {
    const byConnection = Map.groupBy(events, ({ connection }) => connection);
    for (const [connection, mine] of byConnection) {
      const pushed = mine.map(({ entityId, message }) => ({ entityId, message }));
      this.ctx.waitUntil(this.#pushTo(connection, pushed));
    }
  }

  async #pushTo(connection: string, events: readonly PushedEvent[]): Promise<void> {
    for (const pause of [...PUSH_RETRIES, null]) {
      try {
        meter.pushes++;
        // One after the other: an END must not overtake the message before it.
        const isThere = await this.#listeners.call(connection, () => this.#listenerAt(connection), (at) => at.push(events));
        if (!isThere) this.#redirect(connection, events);
        return;
      } catch (error) {
        if (pause === null) return this.#pushLater(error);
        await scheduler.wait(pause);
      }
    }
  }

  #redirect(gone: string, events: readonly PushedEvent[]): void {
    this.#push(this.#transaction(() => {
      forgetConnection(this.#store, gone);
      return redirectNotifications(this.#store, events.map(({ message }) => message));
    }));
  }

  #listenerAt(connection: string): Listener {
    const follower = readFollowerName(connection);
    if (!follower) return connectionAt(this.env, connection);
    const device = deviceAt(this.env, follower.device);
    return { push: (events) => device.push(connection, events) };
  }

  #pushLater(error: unknown): void {
    report("a push could not be made, it is tried again later", error);
    if (!this.#store.record()) return;
    this.ctx.storage.kv.put(UNDELIVERED, true);
    const at = Date.now() + REDELIVERY_DELAY;
    this.#alarm = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }

  async #tellServices(changes: readonly ServiceChange[]): Promise<void> {
    for (const change of changes) {
      try {
        await serviceAt(this.env, change.serviceId).change([change]);
      } catch (error) {
        report("a service could not be told of its queues", error);
      }
    }
  }

  async #releaseLink(linkId: Uint8Array, senderId: Uint8Array): Promise<void> {
    try {
      await linkAt(this.env, linkId).release(senderId);
    } catch (error) {
      // It leads to a queue that does not hold it, which the next claim finds out.
      report("a link could not be released", error);
    }
  }
}
