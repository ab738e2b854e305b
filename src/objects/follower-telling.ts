import { hex } from "#crypto/bytes";
import { targetName } from "../relay/notification/following.ts";
import type { FollowEvent } from "../relay/notification/subscriptions.ts";
import type { DeviceApi, FollowedQueue, Notified } from "./api.ts";
import { Lane } from "./lane.ts";
import { report } from "./log.ts";

/** Pauses before another attempt to tell a device, in milliseconds. */
const RETRIES = [50, 500, 2000] as const;
/** Devices that are told at a time. */
const DEVICES = 16;
/** Queues of which a device is told in one call. */
const QUEUES = 500;
/** Milliseconds between two calls that bring messages: however fast they come, a device gathers them anyway. */
const BREATH = 500;

/** What became of a queue. */
export interface QueueNews {
  readonly queue: FollowedQueue;
  readonly event: FollowEvent;
}

interface QueueNotified {
  readonly queue: FollowedQueue;
  readonly notified: Notified;
}

/** What a device has not been told yet, of each queue the newest. */
interface Untold {
  readonly device: Uint8Array;
  readonly news: Map<string, QueueNews>;
  readonly notified: Map<string, QueueNotified>;
  /** `failed`: not before the next `start`. */
  state: "waiting" | "telling" | "failed";
}

/** What telling leads to. */
export interface TellingPart {
  deviceAt(device: Uint8Array): DeviceApi;
  /** The devices know this now. */
  told(news: readonly QueueNews[]): void;
  /** Their devices do not have these subscriptions any more. */
  unknown(queues: readonly FollowedQueue[]): void;
  /** Goes on beside everything else. */
  run(work: Promise<void>): void;
}

function newest<T>(untold: Map<string, T>): readonly (readonly [string, T])[] {
  return [...untold].slice(0, QUEUES);
}

function dropTold<T>(untold: Map<string, T>, told: readonly (readonly [string, T])[]): void {
  for (const [name, one] of told) if (untold.get(name) === one) untold.delete(name);
}

/**
 * Tells devices what is heard of their queues: one call after another for each device, a few devices at a time. Of what
 * comes faster than that the newest of each queue is kept, so that a relay that floods costs no memory and few calls.
 */
export class Telling {
  readonly #part: TellingPart;
  readonly #devices = new Map<string, Untold>();
  readonly #lane = new Lane(DEVICES);

  constructor(part: TellingPart) {
    this.#part = part;
  }

  /** To be told with the next `start`. */
  note(news: QueueNews): void {
    const { queue } = news;
    // News of a former key do not replace those of the one after it.
    this.#untold(queue).news.set(`${targetName(queue)}/${hex(queue.notifierKey.secret)}`, news);
  }

  /** To be told with the next `start`. */
  notify(queue: FollowedQueue, { nonce, encMeta }: Omit<Notified, "subId">): void {
    this.#untold(queue).notified.set(targetName(queue), { queue, notified: { subId: queue.subId, nonce, encMeta } });
  }

  /** Tells whatever is untold. With `again` also those devices that could not be told before. */
  start(again = false): void {
    for (const [name, untold] of this.#devices) {
      if (untold.state === "telling" || (untold.state === "failed" && !again)) continue;
      untold.state = "telling";
      this.#part.run(this.#tellAll(name, untold));
    }
  }

  #untold({ device }: FollowedQueue): Untold {
    const name = hex(device);
    const existing = this.#devices.get(name);
    if (existing) return existing;
    const untold: Untold = { device, news: new Map(), notified: new Map(), state: "waiting" };
    this.#devices.set(name, untold);
    return untold;
  }

  async #tellAll(name: string, untold: Untold): Promise<void> {
    try {
      while (untold.news.size + untold.notified.size > 0) {
        const hasMessages = untold.notified.size > 0;
        await this.#lane.run(async () => () => this.#tell(untold));
        if (hasMessages) await scheduler.wait(BREATH);
      }
      this.#devices.delete(name);
    } catch (error) {
      untold.state = "failed";
      report("a device could not be told of its queues, it is tried again later", error);
    }
  }

  async #tell({ device, news, notified }: Untold): Promise<void> {
    const [someNews, someNotified] = [newest(news), newest(notified)];
    if (someNews.length > 0) {
      const told = someNews.map(([, one]) => one);
      const following = told.map(({ queue: { subId, notifierKey }, event }) => ({ subId, notifierKey, event }));
      await this.#call(device, (stub) => stub.note(following));
      dropTold(news, someNews);
      this.#part.told(told);
    }
    if (someNotified.length === 0) return;
    const unknown = await this.#call(device, (stub) => stub.hear(someNotified.map(([, one]) => one.notified)));
    dropTold(notified, someNotified);
    const ids = new Set(unknown.map(hex));
    if (ids.size > 0) {
      this.#part.unknown(someNotified.flatMap(([, { queue }]) => (ids.has(hex(queue.subId)) ? [queue] : [])));
    }
  }

  /** Tells it again where that failed: a device that is told twice has been told once. */
  async #call<R>(device: Uint8Array, use: (stub: DeviceApi) => Promise<R>): Promise<R> {
    for (const pause of RETRIES) {
      try {
        return await use(this.#part.deviceAt(device));
      } catch {
        await scheduler.wait(pause);
      }
    }
    return await use(this.#part.deviceAt(device));
  }
}
