import type { Arrival, Endpoint } from "../../push/api.ts";
import { SessionError } from "../../session/api.ts";
import { fromPlain } from "../../session/errors.ts";
import { askLeader, GoneError, SealedError, SilenceError } from "./leader.ts";
import { OwnProfile } from "./own-profile.ts";
import { isAnybodyLooking } from "./present.ts";

/** What is to be done, and with what. */
type Task =
  | { readonly method: "arrived"; readonly argument: unknown }
  | { readonly method: "renew"; readonly argument: Endpoint };

/** Pages that are closed one after the other while they do something are asked no more often. */
const ATTEMPTS = 3;

/** Has what a push wants done: by the page that has the chat, or here when there is none. */
export class Receiver {
  #own: Promise<OwnProfile | null> | null = null;
  #users = 0;
  #ended: Promise<void> = Promise.resolve();

  /** @throws SealedError, and whatever else the profile cannot be opened for */
  async arrived(json: unknown): Promise<Arrival> {
    return await this.#do({ method: "arrived", argument: json }) as Arrival;
  }

  async renew(endpoint: Endpoint): Promise<boolean> {
    return await this.#do({ method: "renew", argument: endpoint }) as boolean;
  }

  async #do(task: Task): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const here = await this.#here(false, task);
      if (here) return here.result;
      try {
        return await askLeader(task.method, task.argument);
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
  async #here(takeOver: boolean, task: Task): Promise<{ readonly result: unknown } | null> {
    await this.#ended;
    this.#own ??= OwnProfile.take(takeOver);
    this.#users++;
    try {
      const own = await this.#own;
      const result = own && await resultOf(own, task);
      return own === null || own.isWanted ? null : { result };
    } finally {
      this.#users--;
      if (this.#users === 0) await this.#end();
    }
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
async function resultOf(own: OwnProfile, { method, argument }: Task): Promise<unknown> {
  const { state, pushes } = own.engine;
  if (state.phase === "locked") throw new SealedError("the profile is locked");
  if (state.failure) throw fromPlain(state.failure);
  try {
    return await (method === "arrived" ? pushes.arrived(argument) : pushes.renew(argument));
  } catch (error) {
    if (own.isWanted && error instanceof SessionError) return null;
    throw error;
  }
}
