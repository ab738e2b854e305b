import { DurableObject } from "cloudflare:workers";
import { equal } from "#crypto/bytes";
import type { NtfAnswer } from "#protocol/ntf/commands";
import { isDead } from "#protocol/ntf/status";
import { type DeviceToken, sameDevice } from "#protocol/ntf/token";
import { deliver } from "../push/provider.ts";
import { delivered, duePush, forgetUnused, hear, wakeAt, wantsToHear } from "../relay/notification/delivery.ts";
import { executeNtf, needsClaim, needsEnrolment, type NtfConditions, type NtfRequest } from "../relay/notification/execute.ts";
import { keyTag, readFollowerName } from "../relay/notification/own-queue.ts";
import type { DeliveryResult, Effect, Push, Subscription } from "../relay/notification/ports.ts";
import { type FollowEvent, hasRoomFor, noteFollowing } from "../relay/notification/subscriptions.ts";
import { forget } from "../relay/notification/tokens.ts";
import { AlarmClock } from "./alarm-clock.ts";
import type { DeviceApi, Following, Notified, PushedEvent } from "./api.ts";
import { configOf } from "./context.ts";
import { registrationsOf } from "./device-registrations.ts";
import { SqlDeviceStore } from "./device-store.ts";
import type { Env } from "./env.ts";
import { Errand } from "./errand.ts";
import { follow, mayClaim, unfollow } from "./followed-queues.ts";
import { report } from "./log.ts";
import { type Notifications, notificationsOf } from "./notifications.ts";
import { post } from "./push-out.ts";
import { calling } from "./retry.ts";

const AUTH: NtfAnswer = { tag: "ERR", error: { type: "AUTH" } };
const QUOTA: NtfAnswer = { tag: "ERR", error: { type: "QUOTA" } };

/** Milliseconds after which queues that could not be followed are asked for again; it doubles up to the longest. */
const FOLLOW_RETRY = { first: 30_000, longest: 1_800_000 } as const;

/** Milliseconds after which an object that failed tries again. */
const TROUBLE_PAUSE = 30_000;

/** Milliseconds after which a device that this server cannot do anything for looks whether it can. */
const LOOK_AGAIN = 86_400_000;

/**
 * One registered device token, named by what its ids lead to: hosts the rules of `relay/notification` on SQLite, has
 * its queues followed and brings its pushes, one at a time: a slow push service holds nobody but those who chose it.
 * It wakes by itself only for what is due.
 */
export class Device extends DurableObject<Env> implements DeviceApi {
  readonly #store = new SqlDeviceStore(this.ctx.storage.sql);
  readonly #alarm = new AlarmClock(this.ctx);
  readonly #pushing = new Errand(this.ctx);
  readonly #following = new Errand(this.ctx);
  #followFailures = 0;
  #unfollowing: Promise<unknown> = Promise.resolve();
  /** After a failure nothing is started before; milliseconds since 1970. */
  #troubleUntil = 0;

  async handle(device: Uint8Array, request: NtfRequest): Promise<NtfAnswer> {
    const notifications = await notificationsOf(this.env);
    const conditions = this.#conditions(notifications, device);
    this.#makeRoom(request, conditions);
    const refusal = await this.#prepare(notifications, device, request, conditions);
    if (refusal) return refusal;
    const { answer, effects } = this.#change(() => {
      const outcome = executeNtf(this.#store, request, { ...conditions, now: Date.now() });
      this.#noteUnfollowed(outcome.effects);
      return outcome;
    });
    try {
      return await this.#carryOut(notifications, device, effects) ? answer : AUTH;
    } finally {
      this.#wake(notifications);
    }
  }

  #conditions({ ids, limits, provider }: Notifications, device: Uint8Array): NtfConditions {
    // One for the whole command: what is claimed is what is made.
    let subId: Uint8Array | null = null;
    return {
      now: Date.now(),
      limits,
      allows: (token) => provider.allows(token),
      tokenId: ids.tokenId(device),
      newSubId: () => subId ??= ids.newSubId(device),
    };
  }

  /** Official clients never give up the subscriptions of queues that they delete. */
  #makeRoom({ command }: NtfRequest, { limits }: NtfConditions): void {
    if (command.tag !== "SNEW" || hasRoomFor(this.#store, command.queue, limits)) return;
    this.#change(() => this.#store.removeEnded());
  }

  /**
   * What others must agree to before a command is done. The new device token of a TRPL knows of this registration
   * before the registration has that token: whatever comes to an end in between, it can be found and forgotten. An
   * entry that nothing came of gives way to others, and forgets nobody who has another token (`forget`).
   */
  async #prepare(
    notifications: Notifications,
    device: Uint8Array,
    request: NtfRequest,
    conditions: NtfConditions,
  ): Promise<NtfAnswer | null> {
    const enrolment = needsEnrolment(this.#store, request, conditions);
    if (enrolment) {
      const { token, verifyKey } = enrolment;
      const enrolled = await calling(() => registrationsOf(this.env, notifications, token).enroll(token, verifyKey, device));
      // Under the same key this device token has another registration: nobody can say which of them is meant.
      return enrolled === null ? QUOTA : equal(enrolled, device) ? null : AUTH;
    }
    const queue = needsClaim(this.#store, request, conditions.limits);
    if (!queue || request.command.tag !== "SNEW") return null;
    const { notifierKey } = request.command;
    const claim = { device, subId: conditions.newSubId(), notifierId: queue.notifierId, notifierKey };
    return await mayClaim(this.env, notifications, queue.server, claim) ? null : AUTH;
  }

  /** In the transaction that led to them: queues to follow are remembered as such until somebody has taken them on. */
  #noteUnfollowed(effects: readonly Effect[]): void {
    const subscriptions = effects.flatMap((effect) => (effect.type === "follow" ? effect.subscriptions : []));
    for (const one of subscriptions) {
      if (one.status !== "NEW") this.#store.saveSubscription({ ...one, status: "NEW" });
    }
    if (subscriptions.length > 0 && this.#store.unfollowedAt() === null) {
      this.#store.setUnfollowedAt(Date.now() + FOLLOW_RETRY.first);
    }
  }

  /** False: another registration of the device token was verified before, and this one is about to be forgotten. */
  async #carryOut(notifications: Notifications, device: Uint8Array, effects: readonly Effect[]): Promise<boolean> {
    for (const effect of effects) {
      switch (effect.type) {
        case "follow":
          this.#follow(notifications);
          break;
        case "unfollow":
          this.#unfollowing = Promise.all([
            this.#unfollowing,
            unfollow(this.env, notifications, device, effect.subscriptions),
          ]);
          this.ctx.waitUntil(this.#unfollowing);
          break;
        case "activated":
          // Before it is answered, so that a device that repeats it gets it done in the end.
          if (!await this.#activate(notifications, device, effect.token)) return false;
          break;
        case "replaced":
        case "released":
          await this.#release(notifications, device, effect.type === "replaced" ? effect.from : effect.token);
      }
    }
    return true;
  }

  async #activate(notifications: Notifications, device: Uint8Array, token: DeviceToken): Promise<boolean> {
    const verifyKey = this.#store.record()?.verifyKey;
    if (!verifyKey) return false;
    return await calling(() => registrationsOf(this.env, notifications, token).activate(token, verifyKey, device));
  }

  async #release(notifications: Notifications, device: Uint8Array, token: DeviceToken): Promise<void> {
    try {
      await calling(() => registrationsOf(this.env, notifications, token).release(token, device));
      const record = this.#store.record();
      if (!record || !sameDevice(record.token, token)) return;
      // It was registered anew meanwhile, under the name that was about to be released.
      await calling(() => registrationsOf(this.env, notifications, token).enroll(token, record.verifyKey, device));
    } catch (error) {
      // It is told to forget itself once more some day, and finds that it has.
      report("a device token could not be released", error);
    }
  }

  async hear(heard: readonly Notified[]): Promise<readonly Uint8Array[]> {
    const notifications = await notificationsOf(this.env);
    const unknown = this.#change(() => heard.filter((one) => !this.#hearOne(one)).map(({ subId }) => subId));
    this.#wake(notifications);
    return unknown;
  }

  /**
   * False: nobody shall bring more of it. Nothing is ever urgent: nobody can tell a relay that a message is, and the
   * first one after a pause goes at once anyway.
   */
  #hearOne({ subId, nonce, encMeta }: Notified): boolean {
    if (!wantsToHear(this.#store, subId)) return false;
    hear(this.#store, subId, { nonce, encMeta, urgent: false }, Date.now());
    return true;
  }

  async note(news: readonly Following[]): Promise<void> {
    this.#change(() => {
      for (const { subId, notifierKey, event } of news) noteFollowing(this.#store, subId, notifierKey, event);
    });
  }

  async push(follower: string, events: readonly PushedEvent[]): Promise<boolean> {
    const notifications = await notificationsOf(this.env);
    const subscription = this.#followedBy(follower);
    if (!subscription) return false;
    const { subId, notifierKey } = subscription;
    this.#change(() => {
      for (const { message } of events) {
        if (message.tag === "NMSG") this.#hearOne({ subId, nonce: message.nonce, encMeta: message.encMeta });
        if (message.tag === "END") noteFollowing(this.#store, subId, notifierKey, { type: "ended" });
        if (message.tag === "DELD") noteFollowing(this.#store, subId, notifierKey, { type: "deleted" });
      }
    });
    this.#wake(notifications);
    return wantsToHear(this.#store, subId);
  }

  async follows(follower: string): Promise<boolean> {
    return this.#followedBy(follower) !== null;
  }

  #followedBy(follower: string): Subscription | null {
    const name = readFollowerName(follower);
    const subscription = name && this.#store.subscription(name.subId);
    return subscription && keyTag(subscription.notifierKey) === name.keyTag ? subscription : null;
  }

  async forget(token: DeviceToken): Promise<void> {
    const record = this.#store.record();
    if (!record || !sameDevice(record.token, token)) return;
    const notifications = await notificationsOf(this.env);
    const effects = this.#change(() => forget(this.#store, record));
    const device = notifications.ids.deviceOfToken(record.tokenId);
    // Whoever says so has released it.
    const others = effects.filter(({ type }) => type !== "released");
    if (device) await this.#carryOut(notifications, device, others);
  }

  override async alarm(): Promise<void> {
    this.#alarm.over();
    try {
      if (!this.#store.record()) return this.#alarm.forget();
      this.#wake(await notificationsOf(this.env));
    } catch (error) {
      // Of an alarm that fails a few times, as while settings are wrong, the platform lets go for good.
      return this.#failed(error);
    }
    await Promise.all([this.#pushing.work, this.#following.work]);
  }

  /** Does what is due, and sees to it that the object wakes for what will be. The alarm brings what a crash leaves. */
  #wake(notifications: Notifications): void {
    const record = this.#store.record();
    if (!record) return;
    const now = Date.now();
    // What was registered before stays as it is, and sleeps: also under a secret by which its ids are not known.
    const isAwake = configOf(this.env).push.isOn && notifications.ids.deviceOfToken(record.tokenId) !== null;
    if (!isAwake) return this.#alarm.by(now + LOOK_AGAIN);
    // What is under way looks again at its end.
    const pushAt = this.#pushing.work ? null : wakeAt(this.#store, notifications.limits, now);
    const followAt = this.#following.work ? null : this.#store.unfollowedAt();
    const times = [pushAt, followAt].filter((at) => at !== null);
    if (times.length > 0) this.#alarm.by(Math.max(Math.min(...times), this.#troubleUntil));
    if (pushAt !== null && pushAt <= now) this.#start(this.#pushing, notifications, () => this.#pushAll(notifications));
    if (followAt !== null && followAt <= now) this.#follow(notifications);
  }

  /** What fails without anybody knowing why is not done again at once. */
  #start(errand: Errand, notifications: Notifications, work: () => Promise<void>): void {
    if (Date.now() < this.#troubleUntil) return;
    errand.start(work, () => this.#wake(notifications), (error) => this.#failed(error));
  }

  #failed(error: unknown): void {
    report("a device could not do what is due", error);
    this.#troubleUntil = Date.now() + TROUBLE_PAUSE;
    this.#alarm.by(this.#troubleUntil);
  }

  async #pushAll(notifications: Notifications): Promise<void> {
    const { limits, ids } = notifications;
    for (;;) {
      const record = this.#store.record();
      const device = record && ids.deviceOfToken(record.tokenId);
      if (!device) return;
      const unused = this.#change(() => forgetUnused(this.#store, Date.now()));
      await this.#carryOut(notifications, device, unused);
      const push = duePush(this.#store, limits, Date.now());
      if (!push) return;
      const result = await this.#bring(notifications, push);
      // Whatever users name as their push service may fail as it likes: only what the operator can mend is told.
      if (result.type === "fix-configuration") report("a push could not be made", result.why);
      const effects = this.#change(() => delivered(this.#store, push, result, limits, Date.now(), Math.random()));
      await this.#carryOut(notifications, device, effects);
    }
  }

  async #bring({ provider }: Notifications, push: Push): Promise<DeliveryResult> {
    try {
      return await deliver(provider, push, (request) => post(this.env, request), Date.now);
    } catch (error) {
      report("a push failed", error);
      return { type: "retry", after: null, why: "it failed" };
    }
  }

  #follow(notifications: Notifications): void {
    this.#start(this.#following, notifications, () => this.#followAll(notifications));
  }

  /** Has all that nobody follows yet followed. What fails is asked for again later, by alarm. */
  async #followAll(notifications: Notifications): Promise<void> {
    for (;;) {
      // What ends a former following must not come after this one.
      await this.#unfollowing;
      const record = this.#store.record();
      const device = record && !isDead(record.status) ? notifications.ids.deviceOfToken(record.tokenId) : null;
      const subscriptions = device ? this.#store.unfollowed() : [];
      if (!device || subscriptions.length === 0) {
        this.#change(() => this.#store.record() && this.#store.setUnfollowedAt(null));
        this.#followFailures = 0;
        return;
      }
      const news = await follow(this.env, notifications, device, subscriptions);
      this.#change(() => {
        for (const { subId, notifierKey, event } of news) this.#noteFollow(subId, notifierKey, event);
      });
      if (news.length > 0) this.#followFailures = 0;
      if (news.length < subscriptions.length) return this.#followLater();
    }
  }

  /** Whoever took it on may have told more meanwhile. */
  #noteFollow(subId: Uint8Array, notifierKey: Following["notifierKey"], event: FollowEvent): void {
    if (event.type === "subscribing" && this.#store.subscription(subId)?.status !== "NEW") return;
    noteFollowing(this.#store, subId, notifierKey, event);
  }

  #followLater(): void {
    const pause = Math.min(FOLLOW_RETRY.first * 2 ** this.#followFailures++, FOLLOW_RETRY.longest);
    this.#change(() => this.#store.record() && this.#store.setUnfollowedAt(Date.now() + pause));
  }

  /** One transaction; what is erased in it is deleted whole after it. */
  #change<T>(change: () => T): T {
    try {
      const result = this.ctx.storage.transactionSync(change);
      if (this.#store.takeErased()) this.#alarm.forget();
      return result;
    } catch (error) {
      this.#store.reload();
      throw error;
    }
  }
}
