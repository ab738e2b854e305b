import type { Arrival, PushApi } from "../../push/api.ts";
import { SessionError } from "../../session/api.ts";
import { fromPlain } from "../../session/errors.ts";
import { askLeader, GoneError, SealedError, SilenceError } from "./leader.ts";
import { OwnProfile } from "./own-profile.ts";
import { isAnybodyLooking } from "./present.ts";

/** What is to be done, and with what. */
type Task = {
  readonly [M in "arrived" | "renew" | "seen"]: { readonly method: M; readonly args: Parameters<PushApi[M]> };
}["arrived" | "renew" | "seen"];

/** Pages that are closed one after the other while they do something are asked no more often. */
const ATTEMPTS = 3;

/** Has what a push wants done: by the page that has the chat, or here when there is none. */
export class Receiver {
  #own: Promise<OwnProfile | null> | null = null;
  #users = 0;
  #ended: Promise<void> = Promise.resolve();

  /** @throws SealedError, and whatever else the profile cannot be opened for */
  async arrived(...args: Parameters<PushApi["arrived"]>): Promise<Arrival> {
    return await this.#do({ method: "arrived", args }) as Arrival;
  }

  async renew(...args: Parameters<PushApi["renew"]>): Promise<boolean> {
    return await this.#do({ method: "renew", args }) as boolean;
  }

  async seen(...args: Parameters<PushApi["seen"]>): Promise<void> {
    await this.#do({ method: "seen", args });
  }

  /** A profile that is opened meanwhile stays open until this is done. */
  async keep<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      if (this.#users === 0) await this.#end();
    }
  }

  async #do(task: Task): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const here = await this.#here(false, task);
      if (here) return here.result;
      try {
        return await askLeader(task.method, task.args);
      } catch (error) {
        if (error instanceof GoneError && attempt < ATTEMPTS) continue;
        // Somebody who looks at a page sees to it that it goes on.
        if (!(error instanceof SilenceError) || await isAnybodyLooking()) throw error;
        const taken = await this.#here(true, task);
        if (!taken) throw error;
        return taken.result;
      }
    }
  }

  /** Null: a page has the profile. Pushes that come while one is worked on are worked on together. */
  #here(takeOver: boolean, task: Task): Promise<{ readonly result: unknown } | null> {
    return this.keep(async () => {
      await this.#ended;
      this.#own ??= OwnProfile.take(takeOver);
      const taking = this.#own;
      const own = await taking;
      const result = own && await resultOf(own, task);
      if (own?.isWanted === false) return { result };
      // Whoever needs it next tries to take it again.
      if (this.#own === taking) await this.#end();
      return null;
    });
  }

  async #end(): Promise<void> {
    const own = this.#own;
    this.#own = null;
    const ended = own?.then((profile) => profile?.end(), () => undefined) ?? Promise.resolve();
    this.#ended = ended.catch(() => undefined);
    await ended;
  }
}

/** Null: a page wants the profile. */
async function resultOf(own: OwnProfile, { method, args }: Task): Promise<unknown> {
  const { state, pushes } = own.engine;
  if (state.phase === "locked") throw new SealedError("the profile is locked");
  if (state.failure) throw fromPlain(state.failure);
  try {
    return await (pushes[method] as (...given: readonly unknown[]) => Promise<unknown>).apply(pushes, args);
  } catch (error) {
    if (own.isWanted && error instanceof SessionError) return null;
    throw error;
  }
}
