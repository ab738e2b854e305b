import { type FollowNews, FollowingTalk, targetName } from "../relay/notification/following.ts";
import type { FollowingSession } from "../relay/notification/following-session.ts";
import type { FollowedQueue } from "./api.ts";
import type { OpenedCarriage } from "./carriage/carriage.ts";

export interface LinkListener {
  hear(news: readonly FollowNews<FollowedQueue>[]): void;
  /** It is over, and says nothing more. Not after `close`. */
  lost(error: unknown): void;
}

/** The connection to another relay, with the queues that are still to be asked for. */
export class FollowerLink {
  /** Milliseconds since 1970. */
  readonly openedAt = Date.now();
  readonly #talk: FollowingTalk<FollowedQueue>;
  readonly #opened: OpenedCarriage;
  readonly #listener: LinkListener;
  readonly #waiting = new Map<string, FollowedQueue>();
  #isClosed = false;

  constructor(session: FollowingSession, opened: OpenedCarriage, listener: LinkListener) {
    this.#talk = new FollowingTalk(session, this.openedAt);
    this.#opened = opened;
    this.#listener = listener;
  }

  /** To be called once the listener can be told that it is over. */
  listen(): void {
    this.#opened.arrivals.listen({
      block: (block) => this.#take(block),
      closed: (error) => this.#lose(error),
    });
  }

  follows(queue: FollowedQueue): boolean {
    return this.#talk.follows(queue);
  }

  /** Asks for those of the queues that were not asked for yet, as fast as the relay answers. */
  subscribe(queues: readonly FollowedQueue[]): void {
    for (const queue of queues) if (!this.#talk.knows(queue)) this.#waiting.set(targetName(queue), queue);
    this.#ask();
  }

  forget(queue: Pick<FollowedQueue, "notifierId" | "subId">): void {
    this.#waiting.delete(targetName(queue));
    this.#talk.forget(queue);
  }

  /** To be called from time to time: notices when the relay does not answer any more. */
  tend(): void {
    this.#orLose(() => {
      const ping = this.#talk.tend(Date.now());
      if (ping) this.#opened.carriage.send(ping);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#opened.carriage.close();
  }

  #ask(): void {
    this.#orLose(() => {
      const next = [...this.#waiting].slice(0, this.#talk.room);
      for (const [name] of next) this.#waiting.delete(name);
      const blocks = this.#talk.subscribe(next.map(([, queue]) => queue), Date.now());
      for (const block of blocks) this.#opened.carriage.send(block);
    });
  }

  #take(block: Uint8Array): void {
    if (this.#isClosed) return;
    this.#orLose(() => {
      this.#listener.hear(this.#talk.hear(block, Date.now()));
      if (this.#waiting.size > 0) this.#ask();
    });
  }

  #orLose(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.lost(error);
  }
}
