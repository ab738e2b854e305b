import { EMPTY, equal, hex } from "#crypto/bytes";
import { randomBytes } from "#crypto/random";
import type { AuthSecretKey } from "#protocol/authorize";
import type { Message } from "#protocol/commands";
import type { ErrorType } from "#protocol/errors";
import { ID_LENGTH } from "#protocol/limits";
import { brokerErr } from "../destination.ts";
import { type Bucket, take } from "../limits.ts";
import {
  FollowingError,
  type FollowingReceived,
  type FollowingSession,
  type NotifierRequest,
  readReceived,
  writeRequests,
} from "./following-session.ts";
import { FOLLOWING } from "./limits.ts";
import type { FollowEvent, QueueClaim } from "./subscriptions.ts";

/** A queue as this server follows it: `notifierKey` opens it, `subId` names for which subscription. */
export interface FollowTarget extends QueueClaim {
  readonly notifierId: Uint8Array;
}

/** What the relay tells of a queue. */
export type FollowNews<T extends FollowTarget> =
  | { readonly type: "event"; readonly queue: T; readonly event: FollowEvent }
  /** The relay could not say now: it is to be asked again, later. */
  | { readonly type: "again"; readonly queue: T; readonly error: ErrorType }
  | { readonly type: "notified"; readonly queue: T; readonly nonce: Uint8Array; readonly encMeta: Uint8Array };

/** The same queue for the same subscription. */
export function targetName({ notifierId, subId }: Pick<FollowTarget, "notifierId" | "subId">): string {
  return `${hex(notifierId)}/${hex(subId)}`;
}

function isSame(a: FollowTarget, b: FollowTarget): boolean {
  return equal(a.subId, b.subId) && sameSecret(a.notifierKey, b.notifierKey);
}

export function sameSecret(a: AuthSecretKey, b: AuthSecretKey): boolean {
  return a.algorithm === b.algorithm && equal(a.secret, b.secret);
}

/** Errors that say something of the relay's state, not of the queue. */
const PASSING: ReadonlySet<ErrorType["type"]> = new Set<ErrorType["type"]>(["INTERNAL", "STORE", "QUOTA"]);

/** What NSUB came to; null: it is accepted. */
function refusalIn(message: Message | null): ErrorType | null {
  if (message?.tag === "OK" || message?.tag === "SOK") return null;
  if (message?.tag === "ERR") return message.error;
  return brokerErr({ type: "UNEXPECTED", respErr: message?.tag ?? "an unknown answer" });
}

interface Asked<T> {
  /** Null: a PING. */
  readonly queue: T | null;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * What is said with another relay in one session: which queues were asked for, which of them it tells of, and whether
 * it still answers. Without timers and sockets; times are milliseconds since 1970.
 *
 * A queue can be asked for with two keys, where a newer one may be wrong: the one that the relay accepts last counts.
 */
export class FollowingTalk<T extends FollowTarget> {
  #session: FollowingSession;
  readonly #asked = new Map<string, Asked<T>>();
  /** By target: asked or answered in this session. */
  readonly #targets = new Map<string, T>();
  /** By notifier id: for whom the relay tells of a queue, and whether it has said so. */
  readonly #current = new Map<string, { readonly queue: T; readonly isAccepted: boolean }>();
  #blocks: Bucket | null = null;
  #vain = 0;
  #heardAt: number;

  constructor(session: FollowingSession, now: number) {
    this.#session = session;
    this.#heardAt = now;
  }

  /** Queues that may be asked for before more answers have come. */
  get room(): number {
    return Math.max(0, FOLLOWING.asked - this.#asked.size);
  }

  /** Whether the queue was asked for with this key, whatever came of it. */
  knows(queue: T): boolean {
    const known = this.#targets.get(targetName(queue));
    return known !== undefined && isSame(known, queue);
  }

  /** Whether the relay tells of the queue, for this subscription and by this key. */
  follows(queue: T): boolean {
    const current = this.#current.get(hex(queue.notifierId));
    return current !== undefined && current.isAccepted && isSame(current.queue, queue);
  }

  /** NSUB for these queues: the blocks to send. */
  subscribe(queues: readonly T[], now: number): readonly Uint8Array[] {
    return this.#write(queues.map((queue) => {
      const corrId = this.#ask(queue, now);
      this.#targets.set(targetName(queue), queue);
      const id = hex(queue.notifierId);
      if (!this.#current.has(id)) this.#current.set(id, { queue, isAccepted: false });
      return { command: { tag: "NSUB" }, corrId, entityId: queue.notifierId, key: queue.notifierKey };
    }));
  }

  /**
   * The relay cannot be told that a queue is not followed any more: what it tells of that is not heard, and when there
   * is too much of it the session ends.
   */
  forget(queue: Pick<FollowTarget, "notifierId" | "subId">): void {
    this.#targets.delete(targetName(queue));
    const id = hex(queue.notifierId);
    const current = this.#current.get(id)?.queue;
    if (current && equal(current.subId, queue.subId)) this.#current.delete(id);
  }

  /** What a block of the relay tells. @throws FollowingError when it is not worth to be listened to any more */
  hear(block: Uint8Array, now: number): readonly FollowNews<T>[] {
    this.#blocks = take(this.#blocks, FOLLOWING.blocksPerMinute, now);
    if (!this.#blocks) throw new FollowingError("the relay sends too many blocks");
    const { session, received } = readReceived(this.#session, block);
    this.#session = session;
    this.#heardAt = now;
    let isVain = true;
    const news: FollowNews<T>[] = [];
    for (const one of received) {
      const told = one.corrId.length > 0 ? this.#answer(one) : this.#event(one);
      isVain &&= told === null;
      news.push(...told ?? []);
    }
    this.#vain = isVain ? this.#vain + 1 : 0;
    if (this.#vain > FOLLOWING.vainBlocks) throw new FollowingError("the relay says nothing that was asked for");
    return news;
  }

  /**
   * To be called from time to time: PING after a silence, null when nothing is to be sent.
   * @throws FollowingError when an answer does not come
   */
  tend(now: number): Uint8Array | null {
    const oldest = Math.min(...[...this.#asked.values()].map(({ at }) => at));
    if (oldest + FOLLOWING.answer <= now) throw new FollowingError("the relay does not answer");
    if (this.#heardAt + FOLLOWING.silence > now || this.#asked.size > 0) return null;
    const corrId = this.#ask(null, now);
    return this.#write([{ command: { tag: "PING" }, corrId, entityId: EMPTY, key: null }])[0] ?? null;
  }

  #ask(queue: T | null, at: number): Uint8Array {
    const corrId = randomBytes(ID_LENGTH);
    this.#asked.set(hex(corrId), { queue, at });
    return corrId;
  }

  #write(requests: readonly NotifierRequest[]): readonly Uint8Array[] {
    if (requests.length === 0) return [];
    const { session, blocks } = writeRequests(this.#session, requests);
    this.#session = session;
    return blocks;
  }

  /** Null: nobody waits for it. */
  #answer({ corrId, entityId, message }: FollowingReceived): FollowNews<T>[] | null {
    const asked = this.#asked.get(hex(corrId));
    if (!asked) return null;
    const { queue } = asked;
    // A relay that could not read a transmission to its end answers with what it knows of it.
    const isAbout = equal(entityId, queue?.notifierId ?? EMPTY) || (message?.tag === "ERR" && entityId.length === 0);
    if (!isAbout) return null;
    this.#asked.delete(hex(corrId));
    // It may have been forgotten meanwhile, or be asked for with another key.
    if (!queue || !this.knows(queue)) return [];
    const error = refusalIn(message);
    if (!error) return this.#accepted(queue);
    if (PASSING.has(error.type)) {
      this.forget(queue);
      return [{ type: "again", queue, error }];
    }
    this.#dismiss(queue);
    return [{ type: "event", queue, event: { type: "refused", error } }];
  }

  #accepted(queue: T): FollowNews<T>[] {
    const id = hex(queue.notifierId);
    const former = this.#current.get(id)?.queue;
    this.#current.set(id, { queue, isAccepted: true });
    const news: FollowNews<T>[] = [{ type: "event", queue, event: { type: "subscribed" } }];
    if (!former || isSame(former, queue) || !this.knows(former)) return news;
    // The relay has replaced the key, and tells this connection nothing of it.
    this.#targets.delete(targetName(former));
    return [...news, { type: "event", queue: former, event: { type: "ended" } }];
  }

  /** The relay tells nothing more of it. Known it stays: it is not asked for again in this session. */
  #dismiss(queue: T): void {
    const id = hex(queue.notifierId);
    const current = this.#current.get(id)?.queue;
    if (current && isSame(current, queue)) this.#current.delete(id);
  }

  #event({ entityId, message }: FollowingReceived): FollowNews<T>[] | null {
    const queue = this.#current.get(hex(entityId))?.queue;
    if (!queue || !message) return null;
    switch (message.tag) {
      case "NMSG":
        return [{ type: "notified", queue, nonce: message.nonce, encMeta: message.encMeta }];
      case "END":
      case "DELD": {
        this.#dismiss(queue);
        return [{ type: "event", queue, event: { type: message.tag === "END" ? "ended" : "deleted" } }];
      }
      default:
        return null;
    }
  }
}
